"""What `mj apply` did, or would do, as people read it."""

from collections.abc import Iterator

from rich.text import Text

from mj_cli.output import plain, shown
from mjcore.apply import ApplyReport, ObjectChange, ValueChange

SIGNS = {"created": ("+", "green"), "changed": ("~", "yellow"), "deactivated": ("-", "red"), "removed": ("-", "red")}
KINDS = {"EntityMap": "entity map", "FieldMap": "field map"}
LONGEST = 40
"""Characters of a value."""


def report_lines(report: ApplyReport) -> Iterator[Text]:
    """Yield what changed, tables and indexes, what is mapped anew, warnings, and a last line that sums it up.

    A dry run has the whole statements that would be executed; otherwise the first line of each tells enough.
    """
    changes = [change for change in report.changes if change.kind != "Provider"]  # known by their plugins, not by the files
    for change in changes:
        yield _headline(change)
        yield from (_value(value) for value in change.values)
    for statement in report.ddl:
        yield Text(_statement(statement, whole=report.is_dry_run), "cyan")
    for remapped in report.remapped:
        if remapped.records:
            records = "1 linked record is" if remapped.records == 1 else f"{remapped.records:,} linked records are"
            now = "`mj plan --remap` shows what that does, `mj sync --remap` does it now"
            yield Text(plain(f"{remapped.entity_map}: {records} mapped anew at the next delivery; {now}"))
    for warning in report.warnings:
        yield Text(plain(f"warning: {warning}"), "yellow")
    yield Text(_sum(len(changes), report), "bold")


def _headline(change: ObjectChange) -> Text:
    sign, style = SIGNS[change.action]
    return Text(plain(f"{sign} {KINDS.get(change.kind, change.kind.lower())} {change.name} {change.action}"), style)


def _value(value: ValueChange) -> Text:
    return Text(plain(f"    {value.key}: {shown(value.old, LONGEST)} → {shown(value.new, LONGEST)}"))


def _statement(statement: str, *, whole: bool) -> str:
    lines = [line.rstrip() for line in statement.expandtabs(2).splitlines()]
    return plain("\n".join(lines) + ";" if whole or len(lines) == 1 else f"{lines[0]}…)")


def _sum(changes: int, report: ApplyReport) -> str:
    if not changes and not report.ddl:
        return "nothing to change: all is as the files say"
    objects = "1 object" if changes == 1 else f"{changes} objects"
    statements = ", 1 statement for tables" if len(report.ddl) == 1 else f", {len(report.ddl)} statements for tables"
    statements = statements if report.ddl else ""
    if report.is_dry_run:
        return f"{objects} would change{statements}; nothing was written"
    return f"{objects} changed{statements}"
