"""`mj cancel`: runs that are to end."""

from typing import Annotated

import typer

from mj_cli.options import STORE, AsJSON, Store

RunName = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or its end as `mj runs` shows it.")]


def cancel(run: RunName, store: Store = STORE, as_json: AsJSON = False) -> None:
    """Stop a run after its batch, wherever it runs."""
    from mj_cli.history import SHORT, find_run
    from mj_cli.output import out, print_json
    from mjcore.kernel import Kernel

    with Kernel(store) as kernel:
        found = find_run(kernel, run)
        status = kernel.cancel(found.id)
    if as_json:
        print_json({"RunID": found.id, "Status": status})
        return
    said = {
        "Cancelling": "was asked to stop: it ends after its batch, and the next one goes on from there",
        "Cancelled": "is closed: nobody was running it any more",
    }
    out().print(f"run {found.id[-SHORT:]} {said[status]}", soft_wrap=True)
