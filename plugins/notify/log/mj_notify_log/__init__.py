"""Writes what runs do, and notices, as log lines: for people on a terminal, JSON elsewhere."""

from collections.abc import Iterable

from attrs import asdict, frozen

from mj_notify_log.lines import Level, write
from mjcore.capabilities import Notice, NotifierType
from mjcore.hookspecs import hookimpl
from mjcore.models import SyncContext
from mjcore.records import Counts
from mjcore.results import SyncResult


@hookimpl
def mj_run_started(context: SyncContext) -> None:
    write("info", "map started", **_names(context), direction=context.direction, trigger=context.trigger, full=context.is_full)


@hookimpl
def mj_batch_done(context: SyncContext, counts: Counts) -> None:
    write("debug", "batch committed", **_names(context), **asdict(counts))


@hookimpl
def mj_run_finished(result: SyncResult) -> None:
    """Write a line per entity map and one of the whole run.

    Texts of errors stay in the store: they may quote records.
    """
    run = {"run_id": result.run_id, "connection": result.connection}
    for done in result.maps:
        names = {"object": done.external_object_name, "entity": done.entity}
        codes = sorted({f"{error.stage}/{error.code}" for error in done.errors})
        level = _level(done.status, done.counts)
        write(level, "map finished", **run, **names, status=done.status, **asdict(done.counts), codes=codes)
    level = _level(result.status, result.counts)
    seconds = None
    if result.started_at and result.completed_at:
        seconds = round((result.completed_at - result.started_at).total_seconds(), 3)
    why = {} if level == "info" else {"see": f"mj runs {result.run_id}"}
    write(level, "run finished", **run, status=result.status, seconds=seconds, **asdict(result.counts), **why)


def _names(context: SyncContext) -> dict[str, str]:
    return {
        "run_id": context.run_id,
        "connection": context.connection,
        "object": context.entity_map.external_object_name,
        "entity": context.entity.name,
    }


def _level(status: str, counts: Counts) -> Level:
    if status == "Failed":
        return "error"
    return "info" if status == "Completed" and not counts.errored and not counts.conflicted else "warning"


@frozen
class Log:
    """There is nothing to set."""


@frozen
class LogNotifier:
    """Writes notices as log lines."""

    def notify(self, notice: Notice) -> None:
        level: Level = "error" if notice.kind in ("failed", "auth") else "info" if notice.kind == "recovered" else "warning"
        write(
            level,
            notice.title,
            kind=notice.kind,
            text=notice.text,
            connection=notice.connection,
            run_id=notice.run_id,
            facts=dict(notice.facts),
        )


@hookimpl
def mj_notifier_types() -> Iterable[NotifierType[Log]]:
    return [NotifierType("log", Log, lambda _: LogNotifier())]
