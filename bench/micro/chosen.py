"""What `bench.parts.micro` asks for, through the environment."""

import os

from bench.databases import KINDS

CHOSEN = os.environ.get("BENCH_DATABASES", ",".join(KINDS)).split(",")
ROUNDS = int(os.environ.get("BENCH_MICRO_ROUNDS", "15"))
