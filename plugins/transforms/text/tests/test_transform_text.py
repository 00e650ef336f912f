import unicodedata
from typing import Any, get_args

import pytest
from attrs import fields
from hypothesis import given
from hypothesis import strategies as st
from mj_transform_text import TextConfig, mj_transform_types
from mj_transform_text.operations import _WORD, OPERATIONS

from mjcore.errors import TransformError

(TEXT,) = mj_transform_types()

scalars = st.booleans() | st.integers() | st.floats() | st.decimals() | st.text() | st.dates() | st.datetimes()
anything = st.recursive(
    scalars, lambda inner: st.lists(inner | st.none(), max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


def text(value: Any, operation: Any) -> Any:
    return TEXT.compile(TextConfig(operation)).apply([value], [{}])[0]


def test_every_operation_that_config_allows_exists() -> None:
    assert set(get_args(fields(TextConfig).operation.type)) == set(OPERATIONS)


@pytest.mark.parametrize(
    ("operation", "value", "expected"),
    [
        ("trim", "\u00a0 Ada \n", "Ada"),
        ("lower", "ÉCOLE", "école"),
        ("upper", "straße", "STRASSE"),
        ("collapse", " Ada \t\n  King ", "Ada King"),
        ("collapse", "a\u00a0\u2003b", "a b"),
        ("title", "MARY O'NEIL-smith", "Mary O'Neil-Smith"),
        ("title", "they're on 3rd street", "They're On 3rd Street"),
        ("title", "l’été à orléans", "L’Été À Orléans"),
        ("title", unicodedata.normalize("NFD", "ÉLÉONORE"), unicodedata.normalize("NFD", "Éléonore")),
        ("title", "ǆungla", "ǅungla"),
        ("ascii", "Łukasz Müller, Øresund", "Lukasz Muller, Oresund"),
        ("ascii", "“Zoë’s” – ﬁne… №5", '"Zoe\'s" - fine... No5'),
        ("ascii", "ǽ ǿ", "ae o"),
    ],
)
def test_operations(operation: Any, value: Any, expected: Any) -> None:
    assert text(value, operation) == expected


@pytest.mark.parametrize("value", ["李明", "ok 😀", "\ud800", "Ω"])
def test_ascii_drops_nothing_that_it_cannot_fold(value: Any) -> None:
    with pytest.raises(TransformError, match="has no ASCII form"):
        text(value, "ascii")


def test_every_latin_letter_of_european_names_folds() -> None:
    letters = [chr(code) for code in range(0xC0, 0x180) if chr(code).isalpha()]
    folded = [text(letter, "ascii") for letter in letters]
    assert all(fold and fold.isascii() for fold in folded)


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
@given(value=st.text("abzABZ09éÉñµÿ '’-_\u0301\u00a0\n"))
def test_a_second_time_changes_nothing(operation: Any, value: Any) -> None:
    try:
        once = text(value, operation)
    except TransformError:
        return
    assert text(once, operation) == once


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
@given(value=anything)
def test_any_value_gives_text_or_a_transform_error_twice_and_stays_unchanged(operation: Any, value: Any) -> None:
    before = repr(value)
    try:
        result = text(value, operation)
    except TransformError:
        with pytest.raises(TransformError):
            text(value, operation)
    else:
        assert isinstance(result, str)
        assert text(value, operation) == result
    assert repr(value) == before


def test_nulls_and_absent_values_pass_by() -> None:
    assert TEXT.sees == "values"


@given(st.lists(st.text("abzABZ09é .,'’-_")))
def test_a_title_is_every_word_with_a_capital(texts: Any) -> None:
    step = TEXT.compile(TextConfig("title"))
    capitals = [_WORD.sub(lambda word: word[0].capitalize(), text) for text in texts]
    assert list(step.apply(texts, [{}] * len(texts))) == capitals
