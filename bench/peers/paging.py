"""Nothing but paging: what no program that reads one page after the other can do without."""

from bench.peers.common import Given, bare_pages

if __name__ == "__main__":
    for _ in bare_pages(Given()):
        pass
