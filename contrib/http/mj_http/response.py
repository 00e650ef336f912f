"""An HTTP response that was read to its end."""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar, overload

import msgspec
from attrs import frozen

from mjcore.errors import NotSupported, Unavailable

T = TypeVar("T")


@frozen
class Response:
    """What the server answered. `headers` have lower-case names; `where` is the request as messages name it."""

    where: str
    """Method, path without query, status: `GET /contacts: 503`."""
    status: int
    headers: Mapping[str, str]
    body: bytes

    @overload
    def decode(self) -> Any: ...
    @overload
    def decode(self, kind: type[T]) -> T: ...
    def decode(self, kind: Any = Any) -> Any:
        """Return the JSON body as `kind`: integers of any length exact, untyped fractions as `Decimal`.

        Raises `Unavailable` for what is no JSON (a torn body, a proxy's page) and `NotSupported` for JSON of another shape.
        """
        try:
            return _decoder(kind).decode(self.body)
        except msgspec.ValidationError as error:
            raise NotSupported(f"{self.where}: unexpected answer: {error}") from None
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise Unavailable(f"{self.where}: the answer is no JSON ({len(self.body)} bytes)") from None


@lru_cache(maxsize=200)  # kinds may be made as a map is, one for each choice of fields
def _decoder(kind: Any) -> "msgspec.json.Decoder[Any]":
    return msgspec.json.Decoder(kind, float_hook=Decimal)
