"""Answers that are errors, in HubSpot's shapes."""

from collections.abc import Mapping, Sequence
from typing import Any


class Problem(Exception):
    """A request that is refused with `status` and a body of HubSpot's error shape."""

    def __init__(self, status: int, category: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status, self.category, self.message = status, category, message
        self.more: Mapping[str, Any] = more
        self.headers: dict[str, str] = {}

    def body(self, correlation: str) -> dict[str, Any]:
        return {
            "status": self.category if "error" in self.more else "error",
            "message": self.message,
            "correlationId": correlation,
            **({"category": self.category} if self.category else {}),
            **self.more,
        }

    def in_batch(self, context: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        """Return this problem as one of the `errors` of a 207 body."""
        return {
            "status": "error",
            "category": self.category,
            "message": self.message,
            "context": dict(context),
            "errors": self.more.get("errors", []),
            "links": {},
        }


def missing(message: str = "resource not found") -> Problem:
    return Problem(404, "OBJECT_NOT_FOUND", message)


def invalid(message: str, errors: Sequence[Mapping[str, Any]] = ()) -> Problem:
    return Problem(400, "VALIDATION_ERROR", message, **({"errors": list(errors)} if errors else {}))


def conflict(message: str) -> Problem:
    return Problem(409, "CONFLICT", message)
