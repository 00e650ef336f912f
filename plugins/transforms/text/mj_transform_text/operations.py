"""What `Operation` can name."""

import re
import unicodedata
from collections.abc import Callable

from mjcore.errors import TransformError

# a letter and an apostrophe in front of a name (O'Neil, l'été), or a whole word (they're, 3rd); marks belong to their letter
_WORD = re.compile(r"[^\W\d_]['’](?=[^\W\d_](?:[^\W\d_]|[\u0300-\u036f]))|[^\W_]+(?:['’\u0300-\u036f]+[^\W_]+)*")
_PLAIN = re.compile(r"(?:[A-Za-z\s.,()&/-]++|[0-9]++(?![A-Za-z]))*+")
"""What `str.title` gets right."""

# letters and signs that Unicode does not decompose
_FOLDS = str.maketrans({
    "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "AE", "œ": "oe", "Œ": "OE", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L",
    "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ħ": "h", "Ħ": "H", "ı": "i", "ŋ": "ng", "Ŋ": "NG",
    "ŧ": "t", "Ŧ": "T", "ĸ": "k", "ŀ": "l", "Ŀ": "L", "ŉ": "'n",
    "‘": "'", "’": "'", "‚": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‐": "-", "‑": "-", "–": "-",
    "—": "-", "−": "-",
})  # fmt: skip


def title(text: str) -> str:
    """Return every word with its first letter upper and the rest lower: `MARY O'NEIL` → `Mary O'Neil`."""
    if _PLAIN.fullmatch(text):
        return text.title()
    return _WORD.sub(lambda word: word[0].capitalize(), text)


def collapse(text: str) -> str:
    """Return the text with every run of white space as one space, and none at the ends."""
    return " ".join(text.split())


def fold_to_ascii(text: str) -> str:
    """Return the text in ASCII: accents dropped, `ß` as `ss`. What has no ASCII form is an error, never dropped."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text.translate(_FOLDS)).translate(_FOLDS)
    folded = "".join(char for char in decomposed if not unicodedata.combining(char))
    for char in folded:
        if not char.isascii():
            raise TransformError(f"{char!a} ({unicodedata.name(char, 'no name')}) has no ASCII form")
    return folded


OPERATIONS: dict[str, Callable[[str], str]] = {
    "trim": str.strip,
    "lower": str.lower,
    "upper": str.upper,
    "title": title,
    "collapse": collapse,
    "ascii": fold_to_ascii,
}
