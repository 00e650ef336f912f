"""The suites: subclass one in a module of tests, say what the plugin is, and every rule of its kind is tested."""

from mj_testing.accounts import Account as Account
from mj_testing.rules import overridden as overridden
from mj_testing.suites.plugin import PluginSuite as PluginSuite
from mj_testing.suites.provider import ProviderSuite as ProviderSuite
from mj_testing.suites.transform import TransformSuite as TransformSuite
