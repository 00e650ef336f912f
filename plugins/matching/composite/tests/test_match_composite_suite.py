import mj_match_composite
from mj_testing.suites import MatcherSuite


class TestComposite(MatcherSuite):
    plugin = mj_match_composite
    configs = [{}, {"KeyFields": ["Name", "Code", "Email"]}]
    refused = [{"KeyFields": ["Email"]}, {"KeyFields": ["Email", "Colour"]}]
