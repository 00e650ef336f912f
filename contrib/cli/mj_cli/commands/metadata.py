"""`mj init`, `mj plugins`, `mj apply` and `mj export`."""

from pathlib import Path
from typing import Annotated

import typer

from mj_cli.options import STORE, AsJSON, Store

NEXT = """\
Next: write a connection into a file, and look at what it reads:

  Companies: [{Name: Acme}]
  Connections:
    - Name: Acme files
      Company: Acme
      Provider: Files
      Configuration: {Folder: data}

  mj discover 'Acme files' --file acme.yaml
  mj suggest 'Acme files' OBJECT --create --file acme.yaml > object.yaml
  mj apply acme.yaml object.yaml"""


def init(store: Store = STORE, as_json: AsJSON = False) -> None:
    """Create the engine's tables, or bring them up to date."""
    from mj_cli.output import out, print_json, without_password
    from mjcore.kernel import Kernel

    with Kernel(store) as kernel:
        is_new = not kernel.connections()  # the store is opened, and with that migrated
    if as_json:
        print_json({"Store": without_password(store), "Status": "Ready"})
        return
    out().print(f"{without_password(store)} is ready", soft_wrap=True)
    if is_new:
        out().print(NEXT, soft_wrap=True)


def plugins(as_json: AsJSON = False) -> None:
    """List plugins: what they add, and what could not be loaded."""
    from mj_cli.output import out, print_json
    from mj_cli.plugins import described, plugins_table
    from mjcore.kernel import Kernel

    with Kernel() as kernel:
        found = described(kernel)
    if as_json:
        print_json(found)
    else:
        out().print(*plugins_table(found), sep="\n")


def apply(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="YAML or JSON; later files add to earlier ones.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would change; write nothing.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Set to Inactive what the files leave out.")] = False,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """Store metadata files; all is checked before anything is written."""
    from mj_cli.applying import report_lines
    from mj_cli.documents import read_all
    from mj_cli.failing import located
    from mj_cli.finding import for_a_look
    from mj_cli.output import out, print_json
    from mjcore.kernel import Kernel
    from mjcore.wire import unstructure

    documents = read_all(files)
    with Kernel(for_a_look(store) if dry_run else store) as kernel, located(documents):
        report = kernel.apply(*(d.data for d in documents), dry_run=dry_run, prune=prune)
    if as_json:
        print_json(unstructure(report))
    else:
        for line in report_lines(report):
            out().print(line, soft_wrap=True)


def export(
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file.")] = None,
    store: Store = STORE,
    as_json: AsJSON = False,
) -> None:
    """Print the stored metadata as YAML that `mj apply` takes."""
    import json
    import sys

    from mj_cli.writing import write
    from mjcore.kernel import Kernel

    with Kernel(store) as kernel:
        data = kernel.export()
    text = json.dumps(data, ensure_ascii=False, indent=2) + "\n" if as_json else write(data)
    if output is None:
        sys.stdout.write(text)
    else:
        output.write_text(text, encoding="utf-8")
