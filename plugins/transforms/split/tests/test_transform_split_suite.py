import mj_transform_split
from hypothesis import strategies as st
from mj_testing.suites import TransformSuite

from mjcore.records import Value


class TestSplit(TransformSuite):
    plugin = mj_transform_split
    configs = [
        {"Delimiter": ",", "Index": 0},
        {"Delimiter": ";", "Index": -1, "TrimWhitespace": True},
        {"Delimiter": " - ", "Index": 1},
    ]
    refused = [{"Delimiter": "", "Index": 0}]

    def values(self) -> st.SearchStrategy[Value]:
        return super().values() | st.lists(st.text(max_size=5), max_size=4).map(",".join)
