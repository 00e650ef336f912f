import mj_execution_local
from mj_testing.suites import ExecutorSuite


class TestLocal(ExecutorSuite):
    plugin = mj_execution_local
    configs = [{}, {"Workers": 1}, {"Workers": 32}]
    refused = [{"Workers": 0}]
