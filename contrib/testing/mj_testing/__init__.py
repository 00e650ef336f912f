"""Conformance kit: what a plugin of mjcore has to keep, as suites of tests to subclass. Start at `mj_testing.suites`."""
