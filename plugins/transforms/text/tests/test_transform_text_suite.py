import mj_transform_text
from mj_testing.suites import TransformSuite


class TestText(TransformSuite):
    plugin = mj_transform_text
    configs = [{"Operation": name} for name in ("trim", "lower", "upper", "title", "collapse", "ascii")]
