from collections.abc import Sequence

import mj_match_externalid
from mj_testing.suites import MatcherSuite

from mjcore.capabilities import Matcher
from mjcore.records import ExternalRecord, MappedRecord, Value


class TestExternalID(MatcherSuite):
    plugin = mj_match_externalid
    configs = [{"ExternalIDField": "Code"}]
    refused = [{"ExternalIDField": "Colour"}, {"ExternalIDField": ""}]

    def record(self, matcher: Matcher, values: Sequence[Value], number: int) -> MappedRecord:
        (id_,) = values
        return MappedRecord(ExternalRecord(id_ if isinstance(id_, str) else "", {}), {})
