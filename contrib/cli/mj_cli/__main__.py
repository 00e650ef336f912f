"""`python -m mj_cli` is `mj`."""

from mj_cli.app import main

if __name__ == "__main__":  # not in the demo's process of the account, which loads this module too
    main()
