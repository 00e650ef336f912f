"""`mj sandbox`: a simulated account on a local port."""

import sys

import typer

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def sandbox(context: typer.Context) -> None:
    """Run a simulated account (HubSpot) on a local port."""
    from mj_cli.account import installed

    installed()
    from mj_sandbox.__main__ import main

    sys.exit(main(context.args))
