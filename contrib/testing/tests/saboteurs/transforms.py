"""A sound step, and one for each rule of transforms that breaks this rule alone. `breaks` names the standard test."""

from functools import partial

from attrs import field, frozen
from mj_testing.suites import PluginSuite, TransformSuite

from mjcore.capabilities import TransformType
from mjcore.errors import ConfigError, TransformError
from mjcore.hookspecs import hookimpl
from mjcore.records import ABSENT
from mjcore.scalars import text_of


@frozen
class Config:
    suffix: str = "!"


class Step:
    def __init__(self, suffix):
        self.suffix = suffix

    def apply(self, values, records):
        return [self.one(value) for value in values]

    def one(self, value):
        return None if value is None else text_of(value) + self.suffix


class Back(Step):
    def one(self, value):
        if not text_of(value).endswith(self.suffix):
            raise TransformError(f"{value!r:.60} does not end in {self.suffix!r}")
        return value.removesuffix(self.suffix)


def compile_step(config, step=Step):
    if not config.suffix:
        raise ConfigError("Suffix: empty")
    return step(config.suffix)


class Plugin:
    """The plugin with other parts in it."""

    def __init__(self, step=Step, config=Config, compiled=compile_step, back=Back):
        self.step, self.config, self.compiled, self.back = step, config, compiled, back

    @hookimpl
    def mj_transform_types(self):
        there, back = (partial(self.compiled, step=step) for step in (self.step, self.back))
        return [TransformType("suffix", self.config, there, sees="nulls", inverse=back)]


class Sabotage(TransformSuite):
    breaks = ""
    plugin = Plugin()
    configs = [{}, {"Suffix": " (old)"}]
    refused = [{"Suffix": ""}]
    lacks = {"packaging": "it is a class of a test", "lightness": "its module is a test"}

    @property
    def examples(self):
        return 40 if not self.breaks or self.proof.key.endswith(self.breaks) else 8


class TestSound(Sabotage):
    pass


# --- Config ---------------------------------------------------------------------------------------------


@frozen
class Doubled:
    suffix: str = field(default="!", converter=lambda text: text + text)


class TestDoubled(Sabotage):
    breaks = "test_a_config_survives_json"
    plugin = Plugin(config=Doubled)


def compile_short(config, step):
    if len(config.suffix) > 9:
        raise KeyError(config.suffix)
    return compile_step(config, step)


class TestShort(Sabotage):
    breaks = "test_any_config_is_used_or_is_a_config_error"
    plugin = Plugin(compiled=compile_short)


class TestCareless(Sabotage):
    breaks = "test_senseless_configs_are_refused"
    plugin = Plugin(compiled=lambda config, step: step(config.suffix))


# --- Values ---------------------------------------------------------------------------------------------


class Tired(Step):
    calls = 0

    def apply(self, values, records):
        results = super().apply(values, records)
        self.calls += 1
        return results if self.calls < 6 else ["tired" for _ in results]


class TestTired(Sabotage):
    breaks = "test_the_same_input_gives_the_same_output"
    plugin = Plugin(Tired)


class Greedy(Step):
    def apply(self, values, records):
        for record in records:
            record.pop("address", None)
        return super().apply(values, records)


class TestGreedy(Sabotage):
    breaks = "test_inputs_are_never_changed"
    plugin = Plugin(Greedy)


class Backwards(Step):
    def apply(self, values, records):
        return super().apply(values, records)[::-1]


class TestBackwards(Sabotage):
    breaks = "test_a_batch_is_its_values_one_by_one"
    plugin = Plugin(Backwards)


class Naive(Step):
    def one(self, value):
        return None if value is None else value.strip() and value + self.suffix


class TestNaive(Sabotage):
    breaks = "test_nothing_is_raised_but_transform_errors"
    plugin = Plugin(Naive)


class Talkative(Step):
    def one(self, value):
        try:
            return super().one(value)
        except TransformError:
            raise TransformError(f"no text: {value!r}") from None


class TestTalkative(Sabotage):
    breaks = "test_messages_are_short_and_say_something"
    plugin = Plugin(Talkative)


class Hiding(Step):
    def one(self, value):
        return ABSENT if value == "" else super().one(value)


class TestHiding(Sabotage):
    breaks = "test_no_value_becomes_absent"
    plugin = Plugin(Hiding)


# --- Pipelines ------------------------------------------------------------------------------------------


class Nullless(Step):
    def one(self, value):
        return len(value) if value is None else super().one(value)


class TestNullless(Sabotage):
    breaks = "test_null_and_absent_are_borne"
    plugin = Plugin(Nullless)


class Resentful(Step):
    hurt = False

    def one(self, value):
        try:
            result = super().one(value)
        except TransformError:
            self.hurt = True
            raise
        return "hurt" if self.hurt else result


class TestResentful(Sabotage):
    breaks = "test_a_value_that_fails_harms_no_other"
    plugin = Plugin(Resentful)


class Shared(Step):
    is_open = True

    def __init__(self, suffix):
        super().__init__(suffix)
        Shared.is_open = True

    def one(self, value):
        return super().one(value) if Shared.is_open else "closed"

    def close(self):
        Shared.is_open = False


class TestShared(Sabotage):
    breaks = "test_closing_a_step_leaves_others_alone"
    plugin = Plugin(Shared)


class Prying(Step):
    def apply(self, values, records):
        for record in records:
            record.get("email")
        return super().apply(values, records)


class TestPrying(Sabotage):
    breaks = "test_fields_that_are_read_are_named"
    plugin = Plugin(Prying)


class TestLost(Sabotage):
    breaks = "test_the_way_back_leads_back"
    plugin = Plugin(back=Step)


# --- Any plugin -----------------------------------------------------------------------------------------


class AnySabotage(PluginSuite):
    plugin = Plugin()
    lacks = Sabotage.lacks


class TestSilent(AnySabotage):
    breaks = "test_no_standard_test_is_replaced_without_a_reason"

    def test_every_hook_is_heard(self):
        """Look the other way."""


class TestVague(AnySabotage):
    breaks = "test_what_it_lacks_is_known_and_has_a_reason"
    lacks = Sabotage.lacks | {"pakaging": "a slip of the pen"}


class Unmarked(Plugin):
    def mj_batch_done(self, context, counts):
        """Is never called."""


class TestUnmarked(AnySabotage):
    breaks = "test_it_loads_into_a_kernel"
    plugin = Unmarked()


class TestUnheard(AnySabotage):
    breaks = "test_every_hook_is_heard"
    plugin = Plugin()
    plugin.mj_batch_done = hookimpl(partial(print))


class Misspoken(Plugin):
    @hookimpl
    def mj_batch_done(self, context: int) -> None:
        """Want something else."""


class TestMisspoken(AnySabotage):
    breaks = "test_annotations_are_those_of_the_hookspec"
    plugin = Misspoken()
