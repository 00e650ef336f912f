"""What `mj apply` did, or would do, as people read it."""

from collections.abc import Iterator

from rich.text import Text

from mj_cli.output import plain, shown
from mjcore.apply import ApplyReport, ObjectChange, ValueChange

SIGNS = {"created": ("+", "green"), "changed": ("~", "yellow"), "deactivated": ("-", "red"), "removed": ("-", "red")}
LONGEST = 40
"""Characters of a value."""


def report_lines(report: ApplyReport) -> Iterator[Text]:
    """Yield what changed, the statements for tables, what is mapped anew, warnings, and a last line that sums it up."""
    for change in report.changes:
        yield _headline(change)
        yield from (_value(value) for value in change.values)
    for statement in report.ddl:
        yield Text(plain(f"{statement};"), "cyan")
    for remapped in report.remapped:
        if remapped.records:
            yield Text(
                plain(f"{remapped.entity_map}: {remapped.records:,} linked records are mapped anew when they are read again")
            )
    for warning in report.warnings:
        yield Text(plain(f"warning: {warning}"), "yellow")
    yield Text(_sum(report), "bold")


def _headline(change: ObjectChange) -> Text:
    sign, style = SIGNS[change.action]
    return Text(plain(f"{sign} {change.kind} {change.name} {change.action}"), style)


def _value(value: ValueChange) -> Text:
    return Text(plain(f"    {value.key}: {shown(value.old, LONGEST)} → {shown(value.new, LONGEST)}"))


def _sum(report: ApplyReport) -> str:
    if not report.changes and not report.ddl:
        return f"nothing to change: {report.unchanged} objects are as the file says"
    would = "would change, nothing was written" if report.is_dry_run else "changed"
    return f"{len(report.changes)} objects {would}; {report.unchanged} are as the file says"
