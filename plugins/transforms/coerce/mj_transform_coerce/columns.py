"""Whole columns of texts: what each one needs is found once for all that look alike."""

from collections.abc import Callable, Sequence

from mjcore.records import Value

Convert = Callable[[Value], Value]
ConvertAll = Callable[[Sequence[str]], Sequence[Value]]

_ZEROES = str.maketrans("123456789", "0" * 9)
_END = "\n"


def by_shape(reader: Callable[[str], Callable[[str], Value] | None], otherwise: Convert) -> ConvertAll:
    """Return what converts each text as `otherwise` does, but by the reader of its shape: the text, its digits written as 0.

    What `reader` returns raises `ValueError` for what `otherwise` refuses; None: each text of the shape needs a look of its own.
    """

    def convert_all(texts: Sequence[str]) -> Sequence[Value]:
        shapes = _END.join(texts).translate(_ZEROES).split(_END)
        known = {shape: reader(shape) or otherwise for shape in set(shapes)}
        try:
            if len(shapes) == len(texts):
                return [known[shape](text) for shape, text in zip(shapes, texts, strict=True)]
        except ValueError:
            pass
        return list(map(otherwise, texts))

    return convert_all


def by_text(convert: Convert) -> ConvertAll:
    """Return what converts each text that is there once only."""

    def convert_all(texts: Sequence[str]) -> Sequence[Value]:
        known = {text: convert(text) for text in dict.fromkeys(texts)}
        return [known[text] for text in texts]

    return convert_all
