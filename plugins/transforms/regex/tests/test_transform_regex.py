import json
import re
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mj_transform_regex import RegexConfig, mj_transform_types
from mj_transform_regex.expression import compile_expression
from mj_transform_regex.flags import parse_flags

from mjcore.errors import ConfigError, TransformError

(REGEX,) = mj_transform_types()
PHONE = "+1 (555) 123-4567"


def regex(value: Any, pattern: Any, replacement: Any = None, flags: Any = "", mode: Any = None) -> Any:
    return REGEX.compile(RegexConfig(pattern, replacement, flags, mode)).apply([value], [{}])[0]


# --- Phone numbers -------------------------------------------------------------------------------


def test_the_country_code_is_extracted() -> None:
    assert regex(PHONE, r"^\+?(\d{1,3})") == "1"


def test_the_area_code_is_extracted() -> None:
    assert regex(PHONE, r"\(?(\d{3})\)?") == "555"


def test_the_local_number_is_extracted_and_its_separators_are_stripped() -> None:
    local = regex(PHONE, r"(\d{3}[\s.-]?\d{4})$")
    assert regex(local, r"[\s.-]", "", "g") == "1234567"


# --- Replace, extract ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "pattern", "replacement", "flags", "result"),
    [
        ("a-b-c", "-", "+", "", "a+b-c"),
        ("a-b-c", "-", "+", "g", "a+b+c"),
        ("abc", "x", "y", "g", "abc"),
        ("2026-03-08", r"(?<y>\d+)-(?<m>\d+)-(?<d>\d+)", "$<m>/$<d>/$<y>", "", "03/08/2026"),
        ("abc", "b", "[$`|$&|$'|$$]", "", "a[a|b|c|$]c"),
        ("abc", "(b)", "$01$10$2$0$", "", "abb0$2$0$c"),
        ("baac", "a*", "-", "g", "-b--c-"),
        ("price: 12", r"(?<=: )\d+", "x", "", "price: x"),
        ("ab", "(?:(a)|b)*", "<$1>", "", "<>"),
        ("\u212a k ſ", "[k-s]", "_", "gi", "\u212a _ ſ"),
        ("\u212a k ſ", "[k-s]", "_", "giu", "_ _ _"),
        ("😀", ".", "x", "g", "xx"),
        ("😀", ".", "x", "gu", "x"),
        ("a\u2028b", "^b", "x", "m", "a\u2028x"),
        ("٣3", r"\d", "x", "g", "٣x"),
        ("\ufeffa", r"\s", "", "", "a"),
        ("aa", r"^(a\1)+$", "[$1]", "", "[a]"),
        ("a{b", "a{", "x", "", "xb"),
        ("{e}", "(?:x){e}", "y", "", "{e}"),
        ("aaab", "a{1,99999999999}", "x", "g", "xb"),
    ],
)
def test_replacing_does_what_javascript_does(value: Any, pattern: Any, replacement: Any, flags: Any, result: Any) -> None:
    assert regex(value, pattern, replacement, flags) == result


def test_without_groups_the_whole_match_is_extracted() -> None:
    assert regex("order 123", r"\d+") == "123"
    assert regex("order 123", r"\d+", mode="extract") == "123"


def test_an_empty_group_that_took_part_is_a_result() -> None:
    assert regex("order ", r"order (\d*)") == ""


def test_extracting_without_a_match_is_an_error() -> None:
    with pytest.raises(TransformError, match="no match in 'order'"):
        regex("order", r"\d+")
    with pytest.raises(TransformError, match="the first group took no part in the match in 'b'"):
        regex("b", "(a)|b")


def test_half_a_character_survives_nothing_but_its_other_half() -> None:
    assert regex("a😀b", "[\\ud83d]", "", "") == "a\ude00b"
    assert regex("a😀b", "a(?=\\ud83d)", "x") == "x😀b"


@pytest.mark.parametrize(("value", "text"), [(120, "0"), (Decimal("1.50"), "50"), (True, "e"), ("x", "x")])
def test_numbers_and_booleans_take_their_text(value: Any, text: Any) -> None:
    assert regex(value, "(0|50|e|x)$") == text


@pytest.mark.parametrize("value", [["a"], {"a": 1}, b"a"])
def test_what_has_no_text_is_an_error(value: Any) -> None:
    with pytest.raises(TransformError, match="text expected"):
        regex(value, "a")


# --- Configuration -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "flags", "fault"),
    [
        ("a(b", "", r"missing \) of the group at 1"),
        ("a)b", "", r"unmatched \) at 1"),
        ("a[b", "", r"missing \] of the class at 1"),
        ("*a", "", "nothing to repeat at 0"),
        ("a**", "", "nothing to repeat at 2"),
        ("^*", "", "nothing to repeat at 1"),
        ("a{3,2}", "", "numbers out of order in {} at 1"),
        ("[z-a]", "", "range out of order at 1"),
        ("(?<n>a)(?<n>b)", "", "a second group named 'n' at 7"),
        (r"(?<n>a)\k<m>", "", "no group of this name at 8"),
        ("a\\", "", "backslash at the end at 2"),
        (r"\p{Nothing}", "u", "unknown property Nothing"),
        ("}", "u", "} must be written"),
        (r"\1", "u", "no group 1 at 1"),
        ("(?P<n>a)", "", "invalid group at 0"),
        ("(" * 60 + ")" * 60, "", "more than 50 groups inside each other"),
        ("(?:ab{1000}){1000}", "", "too large"),
        ("(?:" * 20 + "a?" + ")+" * 20, "", "too complex"),
        ("a" * 10_001, "", "10,001 characters; 10,000 are possible"),
        ("(?:(a)|b)*", "", "the first group may be skipped"),
    ],
)
def test_a_faulty_pattern_is_a_configuration_error(pattern: Any, flags: Any, fault: Any) -> None:
    with pytest.raises(ConfigError, match=fault) as caught:
        regex("a", pattern, flags=flags)
    assert [problem.path for problem in caught.value.problems] == ["Pattern"]


@pytest.mark.parametrize(("flags", "fault"), [("y", "'y' is not supported"), ("gg", "'g' is there twice")])
def test_other_flags_are_refused(flags: Any, fault: Any) -> None:
    with pytest.raises(ConfigError, match=f"Flags: {fault}"):
        regex("a", "a", flags=flags)


def test_mode_and_replacement_must_agree() -> None:
    with pytest.raises(ConfigError, match="Replacement: missing"):
        regex("a", "a", mode="replace")
    with pytest.raises(ConfigError, match="Replacement: plays no part"):
        regex("a", "a", "b", mode="extract")


# --- Limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "replacement", "flags", "value"),
    [
        ("^(a|aa)+$", None, "", "a" * 60 + "b"),
        (r"^(\w|\w\w|_)*$", None, "i", "a" * 60 + "!"),
        (r"\s+$", "", "", " " * 60_000 + "x"),
        ("(?:a|aa)+c|a", "b", "g", ("a" * 20 + "-") * 1000),
        ("(a?){500}a{500}", "", "", "a" * 500),
        ("(?:|)*" * 1600, "x", "g", "ab" * 100),
        (r"(?<=(a*)*)b", "", "g", "ab" * 30_000),
        ("()", "$1" * 5000, "g", "a" * 60_000),
        (r"(a|b|ab)*\1c$", "", "", "ab" * 40 + "c!"),
        ("(?:a" + "|a" * 2000 + ")b", "", "", "a" * 65_536),
    ],
)
def test_a_catastrophic_pattern_fails_its_value_within_a_quarter_second(
    pattern: Any, replacement: Any, flags: Any, value: Any
) -> None:
    step = REGEX.compile(RegexConfig(pattern, replacement, flags))
    start = time.process_time()
    with pytest.raises(TransformError, match=r"took longer than 0\.2 s"):
        step.apply([value], [{}])
    assert time.process_time() - start < 0.25
    assert step.apply(["aa"], [{}]) is not None


@pytest.mark.parametrize(
    ("pattern", "replacement", "value", "fault"),
    [
        (".", "$`$'", "a" * 65_536, "the result is longer than 1,048,576 characters"),
        ("a", "", "a" * 65_537, "the text has 65,537 characters"),
    ],
)
def test_input_and_output_are_bounded(pattern: Any, replacement: Any, value: Any, fault: Any) -> None:
    with pytest.raises(TransformError, match=fault):
        regex(value, pattern, replacement, "g")


# --- In general ----------------------------------------------------------------------------------


@given(st.text(), st.text())
def test_a_literal_pattern_finds_itself(before: Any, literal: Any) -> None:
    pattern = re.sub(r"[\^$\\.*+?()\[\]{}|/]", r"\\\g<0>", literal)
    assert regex(before + literal, pattern, "", "u") == (before + literal).replace(literal, "", 1)


@given(st.text(st.sampled_from("ab$&`'<>1n{}()[]|*+?^\\.-,"), max_size=12), st.text(st.sampled_from("ab1-"), max_size=6))
def test_every_pattern_works_or_is_a_configuration_error(pattern: Any, value: Any) -> None:
    try:
        step = REGEX.compile(RegexConfig(pattern, pattern, "g"))
    except ConfigError:
        return
    assert step.apply([value], [{}]) == step.apply([value], [{}])


def test_a_configuration_survives_json() -> None:
    config = json.loads(r'{"Pattern": "^\\+?(\\d{1,3})"}')
    assert regex(PHONE, config["Pattern"]) == "1"


@pytest.mark.parametrize(
    ("pattern", "length"),
    [
        ("[^0-9]", 65_536),
        ("a+b", 1000),
        ("a*b*c", 100),
        ("a|b", 65_536),
        (r"^\+?(\d{1,3})", 65_536),
        (r"^\s+|\s+$", 1000),
        (r"^(\d+)/(\d+)/(\d+)$", 30),
        ("[ab]" * 2400 + "c", 1000),
        ("a?" * 30 + "a" * 30, 0),
        ("(?:a|a)" * 30 + "b", 0),
        ("(?:a|b)+", 0),
        ("(a+)+", 0),
        (r"(a)\1", 0),
        ("a(?=b)", 0),
    ],
)
def test_only_what_cannot_explode_goes_without_a_deadline(pattern: str, length: int) -> None:
    assert compile_expression(pattern, parse_flags("g")).quick_length == length


@pytest.mark.parametrize("text", ["a-b", "a-b" * 20_000])
@pytest.mark.parametrize("literal", ["\\1\\g<0>", "$$1", ""])
def test_a_literal_stands_for_itself_quickly_and_slowly(text: str, literal: str) -> None:
    assert regex(text, "-", literal, "g") == text.replace("-", literal.replace("$$", "$"))
