"""Programs to compare with: each is a process of its own that does the same work in another way."""
