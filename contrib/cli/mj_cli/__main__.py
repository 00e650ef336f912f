"""`python -m mj_cli` is `mj`."""

from mj_cli.app import main

main()
