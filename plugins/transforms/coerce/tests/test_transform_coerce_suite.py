import mj_transform_coerce
from hypothesis import strategies as st
from mj_testing.suites import TransformSuite

from mjcore.records import Value


class TestCoerce(TransformSuite):
    plugin = mj_transform_coerce
    configs = [
        {"TargetType": "string"},
        {"TargetType": "number"},
        {"TargetType": "boolean"},
        {"TargetType": "boolean", "TrueValues": ["on"], "FalseValues": ["off", ""]},
        {"TargetType": "date"},
        {"TargetType": "date", "InputFormat": "MM/DD/YYYY"},
        {"TargetType": "datetime"},
        {"TargetType": "datetime", "InputFormat": "DD.MM.YYYY HH:mm", "Zone": "Europe/Berlin"},
    ]
    refused = [
        {"TargetType": "number", "Zone": "UTC"},
        {"TargetType": "datetime", "InputFormat": "YYYY"},
        {"TargetType": "datetime", "Zone": "Europe/Atlantis"},
    ]

    def values(self) -> st.SearchStrategy[Value]:
        right = [
            "12",
            "-0.5",
            "yes",
            "NO",
            "on",
            "off",
            "2026-03-08",
            "03/08/2026",
            "2026-03-08T01:02:03+01:00",
            "29.03.2026 02:30",
        ]
        return super().values() | st.sampled_from(right)
