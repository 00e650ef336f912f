import mj_transform_combine
from mj_testing.suites import TransformSuite


class TestCombine(TransformSuite):
    plugin = mj_transform_combine
    configs = [
        {"Parts": ["{{name}}", "{{email}}"], "Separator": " "},
        {"Parts": ["Dear {{first name}}, ", "{{address.city}}", "{{a.b}}!"]},
        {"Parts": ["no field at all"]},
    ]
    refused = [{"Parts": []}, {"Parts": ["{{ }}"]}, {"Parts": ["{{name}"]}]
