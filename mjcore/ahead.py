"""Work ahead: an iteration in a thread of its own, some items in front of who takes them."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from queue import Empty, Full, Queue
from threading import Thread
from typing import Any, Generic, TypeVar

from attrs import define, field, frozen

T = TypeVar("T")


@frozen
class _End:
    """What follows the last item: what the iteration raised, or nothing."""

    fault: BaseException | None = None


@define(eq=False)
class Ahead(Generic[T]):
    """Iterates in a thread of its own, at most `size` items ahead.

    What the iteration raises is raised where its items are taken, after those before it. Whoever stops taking closes it.
    """

    items: Iterable[T]
    size: int
    name: str
    is_closed: bool = field(default=False, init=False)
    _arrived: "Queue[Any]" = field(init=False)
    _thread: Thread = field(init=False)
    _end: _End | None = field(default=None, init=False)

    def __attrs_post_init__(self) -> None:
        self._arrived = Queue(self.size)
        self._thread = Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        end = _End()
        try:
            for item in self.items:
                self._arrived.put(item)
                if self.is_closed:
                    break
        except BaseException as error:  # noqa: BLE001 - raised where the items are taken
            end = _End(error)
        self._arrived.put(end)

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        """Return the next item, which is waited for."""
        if self._end is None:
            item = self._arrived.get()
            if not isinstance(item, _End):
                return item  # type: ignore[no-any-return]
            self._end = item
        if self._end.fault is not None:
            raise self._end.fault
        raise StopIteration

    def arrived(self) -> T | None:
        """Return the next item if it is there already."""
        if self._end is None:
            with suppress(Empty):
                item = self._arrived.get_nowait()
                if not isinstance(item, _End):
                    return item  # type: ignore[no-any-return]
                self._end = item
        return None

    def close(self) -> None:
        """End the iteration, once it has made the item that it is at; who still waits for one is told that there is none."""
        self.is_closed = True
        while self._thread.is_alive():
            with suppress(Empty):
                self._arrived.get_nowait()
            self._thread.join(0.01)
        with suppress(Full):
            self._arrived.put_nowait(_End())
