"""`mj sandbox`: a simulated account on a local port."""

import sys

import typer

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


def sandbox(context: typer.Context) -> None:
    """Run a simulated account (HubSpot) on a local port."""
    from mj_cli.failing import WRONG
    from mj_cli.output import err

    try:
        from mj_sandbox.__main__ import main
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("mj_sandbox"):
            raise
        err().print("the sandbox is not installed: pip install 'mj-cli[demo]'", style="red")
        raise typer.Exit(WRONG) from None
    sys.exit(main(context.args))
