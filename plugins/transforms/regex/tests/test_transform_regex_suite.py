import mj_transform_regex
from hypothesis import strategies as st
from mj_testing.suites import TransformSuite

from mjcore.records import Value


class TestRegex(TransformSuite):
    plugin = mj_transform_regex
    configs = [
        {"Pattern": r"\D", "Replacement": "", "Flags": "g"},
        {"Pattern": r"(?<area>\d{3})-(\d+)", "Replacement": "$<area> $2 $& $$"},
        {"Pattern": r"^\s*(\w+)", "Flags": "iu"},
        {"Pattern": "x+", "Mode": "extract"},
    ]
    refused = [
        {"Pattern": "("},
        {"Pattern": "a", "Flags": "q"},
        {"Pattern": "a", "Mode": "replace"},
        {"Pattern": "a", "Mode": "extract", "Replacement": ""},
    ]

    def values(self) -> st.SearchStrategy[Value]:
        return super().values() | st.sampled_from(["212-5550100", " Ada", "xxx"])
