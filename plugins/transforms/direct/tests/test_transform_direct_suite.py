import mj_transform_direct
from mj_testing.suites import TransformSuite


class TestDirect(TransformSuite):
    plugin = mj_transform_direct
    configs = [{}, {"DefaultValue": "none"}, {"DefaultValue": 0}, {"DefaultValue": ["a", {"b": None}]}]
