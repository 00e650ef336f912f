"""Which stage of a sync a sample of its stack belongs to, by the frames in it."""

import re
from collections.abc import Sequence

STAGES = {
    "waiting": r"\.wait \([^;]*\)$|^mj-lease",
    "start-up": r"importlib\._bootstrap|attr/_make\.py|compile_mapping|(^|\.)migrate \(",
    "decode": r"\.decode \(mj_http|\(msgspec|\(json/|records\.py\).*mj_provider|\(mj_provider_\w+/records\.py",
    "hash": r"content_hashes|MappingPlan\.hashes",
    "encode": r"Grid\.(encoded|rows|columns)|(^|;)encoded \(|\(mj_storage_sql/(text|values|literals)\.py",
    "rows": r"_Commit\.rows",
    "links": r"_Commit\.links|_Batch\._link|source_values",
    "audit": r"_Commit\.audit",
    "commit": r"\(mj_storage_sql/commit\.py|SQLStore\.commit",
    "look up links": r"SQLStore\.(links|last_seen|differing)",
    "map": r"MappingPlan\.__call__|Stages\.transform|\(mj_transform_|\(mjcore/(mapping|fitting)\.py",
    "match, decide": r"Batches\.(decide|apply|_apply)|\(mjcore/(decision|matching|merge|triage|references|uniqueness|batch)\.py",
    "fetch": r"^mj-prefetch|\(mj_http|\(httpx|\(httpcore|Pages\.",
}
"""Regular expressions for a stack, outermost frame first, `function (package/file.py)` separated by `;`, behind its thread.
The first that is found counts: what is inside others comes first. `encode` counts within rows, links and audit, too."""
OUTSIDE, OTHER = "start-up", "other"
ORDER = (
    "start-up", "fetch", "decode", "look up links", "hash", "map", "match, decide", "encode", "rows", "links", "audit", "commit",
    "waiting", OTHER,
)  # fmt: skip
"""As a run meets them."""
RUNNING = re.compile(r"Run\.execute|^mj-")
PATTERNS = {stage: re.compile(pattern) for stage, pattern in STAGES.items()}


def stage_of(stack: Sequence[str]) -> str:
    """Return the stage of a stack, whose first element is the thread. What is before or after the run counts as start-up."""
    text = ";".join(stack)
    if not RUNNING.search(text):
        return OUTSIDE
    return next((stage for stage, pattern in PATTERNS.items() if pattern.search(text)), OTHER)
