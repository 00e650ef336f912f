"""The suites: subclass one in a module of tests, say what the plugin is, and every rule of its kind is tested."""

from mj_testing.accounts import Account as Account
from mj_testing.databases import Database as Database
from mj_testing.rules import overridden as overridden
from mj_testing.suites.attributor import AttributorSuite as AttributorSuite
from mj_testing.suites.executor import ExecutorSuite as ExecutorSuite
from mj_testing.suites.matcher import MatcherSuite as MatcherSuite
from mj_testing.suites.notifier import NotifierSuite as NotifierSuite
from mj_testing.suites.plugin import PluginSuite as PluginSuite
from mj_testing.suites.provider import ProviderSuite as ProviderSuite
from mj_testing.suites.store import StoreSuite as StoreSuite
from mj_testing.suites.transform import TransformSuite as TransformSuite
