"""Benchmarks of single stages on batches of a thousand, with pytest-benchmark: `make bench PARTS=micro`."""
