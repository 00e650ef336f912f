"""The commands of `mj`, assembled. Modules load what they need when a command runs, so that `mj --help` is quick."""

from collections import UserDict
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

COMMANDS = {
    "demo": "demo.demo",
    "init": "metadata.init",
    "plugins": "metadata.plugins",
    "apply": "metadata.apply",
    "export": "metadata.export",
    "test": "source.check",
    "discover": "source.discover",
    "suggest": "source.suggest",
    "preview": "source.preview",
    "plan": "plan.plan",
    "sync": "runs.sync",
    "runs": "runs.runs",
    "cancel": "control.cancel",
    "undo": "control.undo",
    "explain": "explain.explain",
    "verify": "verify.verify",
    "purge": "purge.purge",
}
"""Where each is: module and function."""
GROUPS = {"failed": "failed.failed", "conflicts": "conflicts.conflicts"}
PASSED_ON = {"sandbox": "sandbox.sandbox"}


class OnDemand(UserDict[str, Any]):
    """Commands that are built when they are looked at: who runs one waits for no other."""

    def __getitem__(self, name: str) -> Any:
        module, _, attribute = self.data[name].partition(".")
        found = getattr(import_module(f"mj_cli.commands.{module}"), attribute)
        if not isinstance(found, typer.Typer):
            alone = typer.Typer(add_completion=False, rich_markup_mode=None)
            alone.command()(found)
            found = alone
        command = get_command(found)
        command.name = name
        return command


class Commands(TyperGroup):
    """Turns errors into messages and exit codes; a traceback is for bugs only."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.commands = OnDemand(COMMANDS | PASSED_ON | GROUPS)

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
    callback=lambda: None,
    help="Record sync you can trust. Exit codes: 0 fine, 1 failed, 2 wrong usage or configuration, "
    "3 finished but some records failed, 4 another run holds the connection.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
