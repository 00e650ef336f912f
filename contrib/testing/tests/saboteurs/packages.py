"""Packages as they are installed: a sound one, and one for each rule of packaging that breaks this rule alone."""

import mj_transform_heavy
import mj_transform_misnamed
import mj_transform_needy
import mj_transform_sound
from mj_testing.suites import TransformSuite


class Package(TransformSuite):
    examples = 10


class TestSoundPackage(Package):
    plugin = mj_transform_sound


class TestMisnamed(Package):
    breaks = "test_names_follow_the_convention"
    plugin = mj_transform_misnamed


class TestNeedy(Package):
    breaks = "test_it_imports_with_its_declared_dependencies_alone"
    plugin = mj_transform_needy


class TestHeavy(Package):
    breaks = "test_importing_it_loads_nothing_heavy"
    plugin = mj_transform_heavy
