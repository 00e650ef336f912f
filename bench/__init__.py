"""Benchmarks: `make bench` measures mjcore against a floor, hand-written programs and dlt, and says how it compares."""
