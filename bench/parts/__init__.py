"""The parts that `make bench PARTS=…` chooses from: each module measures one thing and returns sections of the report."""
