import mj_transform_substring
from mj_testing.suites import TransformSuite


class TestSubstring(TransformSuite):
    plugin = mj_transform_substring
    configs = [{"Start": 0, "Length": 3}, {"Start": -2}, {"Start": 1, "End": -1}, {"Start": 10**30}]
    refused = [{"Start": 0, "Length": 1, "End": 2}, {"Start": 0, "Length": -1}]
