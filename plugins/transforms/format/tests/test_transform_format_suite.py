import mj_transform_format
from hypothesis import strategies as st
from mj_testing.suites import TransformSuite

from mjcore.records import Value


class TestFormat(TransformSuite):
    plugin = mj_transform_format
    configs = [
        {"FormatType": "date", "OutputFormat": "MM/DD/YYYY"},
        {"FormatType": "date", "OutputFormat": "D. MMMM YYYY", "Locale": "de"},
        {"FormatType": "date", "InputFormat": "MM/DD/YYYY", "OutputFormat": "YYYY-MM-DD"},
        {"FormatType": "number", "OutputFormat": "#,##0.00", "Locale": "de"},
        {"FormatType": "currency", "OutputFormat": "¤#,##0.00", "Currency": "USD"},
        {"FormatType": "phone", "OutputFormat": "E164", "Locale": "en_US"},
    ]
    refused = [
        {"FormatType": "phone", "OutputFormat": "E165"},
        {"FormatType": "number", "OutputFormat": "0", "Zone": "UTC"},
        {"FormatType": "date", "OutputFormat": "MM/DD/YYYY", "Locale": "tlh"},
    ]

    def values(self) -> st.SearchStrategy[Value]:
        right = ["2026-03-08", "03/08/2026", "1234.5", "-7", "+1 (555) 010-0123", "212 555 0100", 12.5, 10**20]
        return super().values() | st.sampled_from(right)
