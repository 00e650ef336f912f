import mj_match_keyfields
from mj_testing.suites import MatcherSuite


class TestKeyFields(MatcherSuite):
    plugin = mj_match_keyfields
    configs = [{}, {"KeyFields": ["Email"]}, {"KeyFields": ["Name", "Code"]}]
    refused = [{"KeyFields": ["Emial"]}]
