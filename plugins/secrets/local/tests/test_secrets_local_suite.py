import mj_secrets_local
from mj_testing.suites import PluginSuite


class TestSecrets(PluginSuite):
    plugin = mj_secrets_local
