"""What a provider has to keep."""

from mj_testing.suites.provider.conduct_rules import ConductRules
from mj_testing.suites.provider.discovery_rules import DiscoveryRules
from mj_testing.suites.provider.fault_rules import FaultRules
from mj_testing.suites.provider.opening_rules import OpeningRules
from mj_testing.suites.provider.paging_rules import PagingRules
from mj_testing.suites.provider.window_rules import WindowRules


class ProviderSuite(DiscoveryRules, PagingRules, WindowRules, FaultRules, ConductRules, OpeningRules):
    """Subclass it with the plugin and an `account`: a subclass of `mj_testing.accounts.Account`."""
