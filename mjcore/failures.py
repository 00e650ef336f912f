"""What plugins raised that must not harm a run: logged at once, and kept for the notes of the run."""

import logging

from attrs import define, field

LOG = logging.getLogger("mjcore")
KEPT = 10
"""Different texts about one entity map of a run."""


@define
class Failures:
    """Each text once, with how often. `about`: an entity map by its external object; empty for the run as a whole."""

    _found: dict[tuple[str, str], dict[str, int]] = field(factory=dict)

    def add(self, run_id: str, about: str, text: str) -> None:
        seen = self._found.setdefault((run_id, about), {})
        if text not in seen and len(seen) < KEPT:
            LOG.error("run %s: %s", run_id, text)
            seen[text] = 0
        if text in seen:
            seen[text] += 1

    def taken(self, run_id: str, about: str | None = None) -> list[str]:
        """Return what was added about a run, or one part of it, and forget it."""
        mine = [key for key in list(self._found) if key[0] == run_id and about in (None, key[1])]
        texts = [pair for key in mine for pair in self._found.pop(key).items()]
        return [text if count == 1 else f"{text} ({count:,} times)" for text, count in texts]
