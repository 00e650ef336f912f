import mj_transform_lookup
from hypothesis import strategies as st
from mj_testing.suites import TransformSuite

from mjcore.records import Value


class TestLookup(TransformSuite):
    plugin = mj_transform_lookup
    configs = [
        {"Map": {"lead": "Lead", "customer": "Customer", "n/a": None}},
        {"Map": {"lead": "Lead", "null": "Unknown"}, "DefaultValue": "Other", "CaseSensitive": False},
    ]
    refused = [{"Map": {"a": "x", "A": "y"}, "CaseSensitive": False}]

    def values(self) -> st.SearchStrategy[Value]:
        return super().values() | st.sampled_from(["lead", "LEAD", "customer", "n/a", "null"])
