"""Random patterns on random texts: the step and a JavaScript engine must agree."""

import json
import random
import re
from collections import Counter
from typing import Any

import pytest
import quickjs  # type: ignore[import-untyped]  # it has no py.typed
from mj_transform_regex import RegexConfig, mj_transform_types
from mj_transform_regex.charset import LAST_CASED, ignoring_case
from mj_transform_regex.expression import compile_expression
from mj_transform_regex.flags import parse_flags
from mj_transform_regex.operations import Regex

from mjcore.errors import ConfigError, TransformError

(REGEX,) = mj_transform_types()

ENGINE = """(text => {
  const [pattern, flags, value, replacement] = JSON.parse(text)
  let regex
  try { regex = new RegExp(pattern, flags) } catch (error) { return JSON.stringify(["refused", error.message]) }
  if (replacement !== null) return JSON.stringify(["found", value.replace(regex, replacement)])
  const match = regex.exec(value)
  if (match === null) return '["no match"]'
  const found = match.length > 1 ? match[1] : match[0]
  return JSON.stringify(found === undefined ? ["no part"] : ["found", found])
})"""

CHARACTERS = ["a", "b", "c", "A", "1", "2", " ", "-", "_", ".", *"\néÉKſßkKsS😀\u2028\ufeffİıµΣςσ"]
LITERALS = ["a", "b", "c", "A", "1", "k", "s", "é", "ß", r"\.", "-", " ", "😀", "Σ"]
SETS = [".", r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", r"\b", r"\B", "^", "$"]
ESCAPES = [
    r"\1", r"\2", r"\3", r"\k<n>", r"\0", r"\x61", r"\u0061", r"\cJ", r"\t", r"\-", r"\u{61}", r"\u{1F600}", r"\ud83d",
    r"\ud83d\ude00", r"\10", r"\8", r"\q", r"\/", r"\p{L}", r"\P{N}", r"\p{Script=Greek}", r"\p{ASCII}",
]  # fmt: skip
MEMBERS = [
    "a", "b", "a-c", "A-Z", "0-9", r"\d", r"\w", r"\s", r"\W", r"\S", r"\D", "-", "^", ".", "é", "à-ÿ", r"\b", r"\n", "😀",
    r"\u{61}", "[", "Σ", r"\-", "k", "s", r"\]", r"a-\d", r"\cJ",
]  # fmt: skip
GROUPS = ["({})", "({})", "(?:{})", "(?:{})", "(?<n>{})", "(?={})", "(?!{})", "(?<={})", "(?<!{})", "(?i:{})"]
QUANTIFIERS = ["", "", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,2}", "{0,2}?", "{2,}", "{0}", "{,2}"]
REPLACEMENTS = [
    "", "-", "$1", "<$&>", "$$", "[$1|$2]", "$10", "$01", "$0", "$<n>", "$`", "$'", "$", "$3$2", r"\1", "😀$1", "$<x>", "$<n",
]  # fmt: skip
ONE_CHARACTER = ["[^0-9]", r"[a-c\0]", r"\s", r"[^\w]", ".", "a", "[]", "[^]", r"(\d)"]
NOISE = [*r"()[]{}*+?|^$\.,-19abckux<>=!:", "(?"]


class Generator:
    def __init__(self, seed: Any) -> None:
        self.random = random.Random(seed)

    def case(self, noisy: Any) -> Any:
        pick = self.random
        pattern = self.choice(pick.randint(0, 3))
        if noisy and pattern:
            characters = list(pattern)
            for _ in range(pick.randint(1, 3)):
                characters[pick.randrange(len(characters))] = pick.choice(NOISE)
            pattern = "".join(characters)
        flags = "".join(flag for flag in "gimsu" if pick.random() < 0.3)
        value = "".join(pick.choice(CHARACTERS[:10] if pick.random() < 0.7 else CHARACTERS) for _ in range(pick.randint(0, 10)))
        return pattern, flags, value, pick.choice([None, None, *REPLACEMENTS])

    def choice(self, depth: Any) -> Any:
        return "|".join(self.sequence(depth) for _ in range(self.random.choice([1, 1, 1, 2, 3])))

    def sequence(self, depth: Any) -> Any:
        count = self.random.randint(0 if depth < 2 else 1, 3)
        return "".join(self.term(depth) + self.random.choice(QUANTIFIERS) for _ in range(count))

    def term(self, depth: Any) -> Any:
        pick, kind = self.random, self.random.random()
        if kind < 0.35 or depth == 0:
            return pick.choice(LITERALS)
        if kind < 0.5:
            return pick.choice(SETS)
        if kind < 0.62:
            return f"[{pick.choice(['', '', '^'])}{''.join(pick.choice(MEMBERS) for _ in range(pick.randint(0, 3)))}]"
        if kind < 0.68:
            return pick.choice(ESCAPES)
        return pick.choice(GROUPS).format(self.choice(depth - 1))


def read_otherwise(pattern: Any, answer: Any) -> Any:
    """QuickJS leaves the standard: it reads `[\\w-a-z]` as `[\\w\\-a-z]`, and refuses `a{2,1` where the brace is plain text."""
    return re.search(r"\\[dDsSwW]-[^\]]+-", pattern) or answer[-1] == "invalid repetition count"


def answer_of_the_step(pattern: Any, flags: Any, value: Any, replacement: Any) -> Any:
    try:
        return ["found", REGEX.compile(RegexConfig(pattern, replacement, flags)).apply([value], [{}])[0]]
    except ConfigError as error:
        return ["refused", str(error)]
    except TransformError as error:
        return ["no match" if str(error).startswith("no match") else "no part"]


@pytest.mark.parametrize(("seed", "cases", "noisy"), [(1, 7000, False), (2, 3000, True)])
def test_patterns_do_what_javascript_does(seed: Any, cases: Any, noisy: Any) -> None:
    engine = quickjs.Context().eval(ENGINE)
    generator, mismatches = Generator(seed), []
    seen: Counter[tuple[str, str]] = Counter()
    for _ in range(cases):
        case = generator.case(noisy)
        expected = json.loads(engine(json.dumps(case)))
        if read_otherwise(case[0], expected):
            continue
        actual = answer_of_the_step(*case)
        seen[expected[0], actual[0]] += 1
        if expected != actual and actual[0] != "refused":
            mismatches.append((case, expected, actual))
    assert not mismatches, f"seed {seed}: {mismatches[:5]}"
    unsupported = sum(count for (engine_says, we_say), count in seen.items() if we_say == "refused" != engine_says)
    assert unsupported < cases / 50
    assert seen["found", "found"] > cases / 4


@pytest.mark.parametrize("seed", [3])
def test_many_texts_at_once_do_what_javascript_does_with_each(seed: Any) -> None:
    engine = quickjs.Context().eval(ENGINE)
    pick = random.Random(seed)
    ways: Counter[bool] = Counter()
    for _ in range(600):
        pattern, flags, _, replacement = Generator(pick.random()).case(noisy=False)
        if pick.random() < 0.5:
            pattern, flags = pick.choice(ONE_CHARACTER), flags if "g" in flags else f"{flags}g"
        try:
            step = REGEX.compile(RegexConfig(pattern, replacement, flags))
        except ConfigError:
            continue
        texts = ["".join(pick.choices([*CHARACTERS[:10], "\0"], k=pick.randint(0, 8))) for _ in range(pick.randint(0, 30))]
        if pick.random() < 0.3:
            texts.append("".join(pick.choices(CHARACTERS, k=8)))
        answers = [json.loads(engine(json.dumps([pattern, flags, text, replacement]))) for text in texts]
        texts = [text for text, (verdict, *_) in zip(texts, answers, strict=True) if verdict == "found"]
        found = [answer[1] for answer in answers if answer[0] == "found"]
        assert isinstance(step, Regex)
        assert compile_expression(pattern, parse_flags(flags)).compiled  # what one library takes the other does
        ways[step.quick is not None] += len(texts)
        if not read_otherwise(pattern, [""]):
            assert list(step.apply(texts, [{}] * len(texts))) == found, (pattern, flags, replacement, texts)
    assert min(ways[True], ways[False]) > 500


@pytest.mark.parametrize("flags", ["gi", "giu"])
def test_every_letter_is_the_same_letters_as_in_javascript(flags: Any) -> None:
    unicode = "u" in flags
    last = LAST_CASED if unicode else 0x10000
    cased = [c for c in range(last) if len({chr(c), chr(c).lower(), chr(c).upper(), chr(c).casefold()}) > 1]
    engine = quickjs.Context().eval("""(text => {
      const [codes, flags] = JSON.parse(text), all = String.fromCodePoint(...codes)
      const escape = code => flags.includes("u") ? `\\\\u{${code.toString(16)}}` : `\\\\u${code.toString(16).padStart(4, "0")}`
      return JSON.stringify(codes.map(code => all.match(new RegExp(escape(code), flags)).map(c => c.codePointAt(0))))
    })""")
    for code, expected in zip(cased, json.loads(engine(json.dumps([cased, flags]))), strict=True):
        ranges = ignoring_case(((code, code),), unicode)
        assert [c for low, high in ranges for c in range(low, high + 1)] == sorted(expected)
