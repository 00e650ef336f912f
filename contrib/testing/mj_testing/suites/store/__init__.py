"""What a store has to keep."""

from mj_testing.suites.store.commit_rules import CommitRules
from mj_testing.suites.store.lease_rules import LeaseRules
from mj_testing.suites.store.value_rules import ValueRules


class StoreSuite(CommitRules, LeaseRules, ValueRules):
    """Subclass it with the plugin and a `database`: a subclass of `mj_testing.databases.Database`."""
