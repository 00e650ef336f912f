"""`mj sandbox`: a simulated account on a local port."""

import sys

import typer

sandbox = typer.Typer(add_completion=False, rich_markup_mode=None)


@sandbox.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True}, add_help_option=False)
def account(context: typer.Context) -> None:
    """Run a simulated account (HubSpot) on a local port."""
    from mj_cli.account import installed

    installed()
    from mj_sandbox.__main__ import main

    sys.exit(main(context.args))
