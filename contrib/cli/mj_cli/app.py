"""The commands of `mj`, assembled. Modules load what they need when a command runs, so that `mj --help` is quick."""

import gc
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperGroup

from mj_cli.commands import conflicts, control, demo, explain, failed, metadata, plan, purge, runs, sandbox, source, verify


class Commands(TyperGroup):
    """Turns errors into messages and exit codes; a traceback is for bugs only."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except (typer.Exit, BrokenPipeError):  # the latter: who reads, such as `head`, has enough
            raise
        except Exception as error:
            from mj_cli.failing import report
            from mjcore.errors import MJError

            if not isinstance(error, MJError | OSError):
                raise

            raise typer.Exit(report(error)) from None


app = typer.Typer(
    name="mj",
    cls=Commands,
    help="Record sync you can trust. Exit codes: 0 fine, 1 failed, 2 wrong usage or configuration, "
    "3 finished but some records failed, 4 another run holds the connection.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

COMMANDS: dict[str, Callable[..., None]] = {
    "demo": demo.demo,
    "init": metadata.init,
    "plugins": metadata.plugins,
    "apply": metadata.apply,
    "export": metadata.export,
    "test": source.check,
    "discover": source.discover,
    "suggest": source.suggest,
    "preview": source.preview,
    "plan": plan.plan,
    "sync": runs.sync,
    "runs": runs.runs,
    "cancel": control.cancel,
    "undo": control.undo,
    "explain": explain.explain,
    "verify": verify.verify,
    "purge": purge.purge,
}
for name, command in COMMANDS.items():
    app.command(name)(command)
GROUPS: dict[str, typer.Typer] = {"failed": failed.failed, "conflicts": conflicts.conflicts}
for name, group in GROUPS.items():
    app.add_typer(group, name=name)
app.command("sandbox", context_settings=sandbox.PASS_ON, add_help_option=False)(sandbox.sandbox)


def main() -> None:
    """Run the command line."""
    gc.set_threshold(200_000, 20, 20)  # what is loaded stays, batches leave no cycles: to look for them takes a tenth of a run
    try:
        app()
    finally:
        gc.freeze()  # nor at the end, when the interpreter would look twice
