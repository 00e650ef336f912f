"""The command line tool `mj`."""
