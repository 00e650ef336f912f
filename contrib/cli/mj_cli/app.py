"""`mj`, the program."""

import gc


def main() -> None:
    """Run the command line."""
    gc.set_threshold(200_000, 20, 20)  # what is loaded stays, batches leave no cycles: to look for them takes a tenth of a run
    from mj_cli.commands import app

    try:
        app()
    finally:
        gc.freeze()  # nor at the end, when the interpreter would look twice
