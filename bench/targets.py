"""What mjcore means to reach. Ratios of two processes are of wall time, the whole process; CPU time stands beside them.

Why wall time judges: it is what people wait for. The peers' requests wait for the server, mjcore's do not, as it reads ahead
while it applies: CPU time hides what is gained by that. Why CPU time is shown: on a shared machine it is what can be compared.
"""

# load, by kind of database
FULL_VERSUS_HANDWRITTEN = {"sqlite": 1.2, "postgresql": 0.9}
FULL_VERSUS_FLOOR = 3.3
FULL_VERSUS_DLT = 0.5
"""dlt's default loader, of rows."""
NOCHANGE_VERSUS_HANDWRITTEN = 1.2
CHANGED_VERSUS_HANDWRITTEN = 1.2
LATENCY = 1.1
"""A run against a server that takes 50 ms a page ÷ nothing but paging."""

# memory and growth
MEMORY = 150.0
"""MB at most, however many records."""
PEAK_GROWTH = 1.1
"""Peak memory ÷ that of a twentieth of the records."""
TIME_GROWTH = 1.1
"""Time a record ÷ that at a twentieth of the records: 22 times the time for 20 times the records."""

# files
FILES_RATE = 15_000.0
"""Records a second, a CSV file of ten columns."""
UNCHANGED_RATE = 100_000.0
"""Records a second, the same file read once more."""
BAD_VERSUS_CLEAN = 1.3
"""A file with one bad record in a hundred ÷ one without."""

# µs a value; CPU seconds
STEP = 2.0
STEPS = {
    "custom": 15.0,
    "regex": 20.0,
    "format, date": 4.0,
    "format, number": 25.0,
    "format, currency": 25.0,
    "format, phone": 40.0,
}
"""By the step's name, or the beginning of it; `STEP` for all others."""
IMPORT = 0.15
"""`import mjcore`."""
PLUGINS = 0.1
"""A kernel with all plugins, beyond `import mjcore`."""

# what each costs by itself ÷ a run with none of them
COSTS = {"audit trail": 0.40, "links": 0.40, "fence, checkpoint": 0.05}
