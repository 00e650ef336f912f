"""One call to the API as its handlers see it."""

from typing import Any, TypeVar

import msgspec
from attrs import define, field

from mj_sandbox.account import Account
from mj_sandbox.http import Request
from mj_sandbox.problems import invalid

T = TypeVar("T")


@define
class Call:
    """A request to one account, with its query read and its body at hand."""

    account: Account
    request: Request
    version: str = "v3"
    query: dict[str, list[str]] = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.query = self.request.query()

    def text(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[-1]

    def names(self, name: str) -> tuple[str, ...]:
        """Return a list given as `a,b` or by repetition."""
        return tuple(each for text in self.query.get(name, ()) for each in text.split(",") if each)

    def flag(self, name: str) -> bool:
        return self.text(name, "false").lower() == "true"

    def limit(self, default: int = 10, most: int = 100) -> int:
        text = self.text("limit", str(default))
        if not text.isdigit() or not 1 <= int(text) <= most:
            raise invalid(f"Invalid limit {text!r}: a number from 1 to {most} is needed")
        return int(text)

    def after(self) -> int:
        """Return the id that a page starts from."""
        text = self.text("after", "0")
        if not text.isdigit():
            raise invalid(f"Invalid after {text!r}: take it from paging.next of the page before")
        return int(text)

    def body(self, kind: type[T]) -> T:
        """Return the body as `kind`."""
        try:
            return msgspec.json.decode(self.request.body, type=kind)
        except msgspec.DecodeError as error:
            raise invalid(f"Invalid input JSON: {error}") from None

    def next_link(self, after: str) -> str:
        """Return the absolute address of the next page."""
        kept = [each for each in self.request.query_string.split("&") if each and not each.startswith("after=")]
        host = self.request.headers.get("host", "127.0.0.1")
        return f"http://{host}{self.request.path}?{'&'.join([*kept, f'after={after}'])}"


@define
class Answer:
    """What a handler returns: something to encode, or JSON already encoded."""

    content: Any = None
    status: int = 200

    def encode(self) -> bytes:
        if self.content is None:
            return b""
        return self.content if isinstance(self.content, bytes) else msgspec.json.encode(self.content)
