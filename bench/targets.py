"""What mjcore means to reach, as ratios of CPU time, or of wall time where waiting is what counts."""

FULL_VERSUS_HANDWRITTEN = 1.5
"""Full load: a program without links, audit trail, ledger, or a check of any value."""
FULL_VERSUS_DLT = 1.0
"""Full load: the better of dlt's loaders."""
NOCHANGE_VERSUS_HANDWRITTEN = 1.5
CHANGED_VERSUS_HANDWRITTEN = 1.5
CHANGED_VERSUS_DLT = 1.0
GROWTH = 1.1
"""Time a record, and peak memory, at ten times the records."""
LATENCY = 1.1
"""A run against a slow server ÷ nothing but paging, in wall time."""
FILES_VERSUS_BARE = 2.0
"""CSV ÷ a script that writes the same rows, links, audit entries and indexes."""
BAD_VERSUS_CLEAN = 1.25
"""A load with one bad record in a hundred ÷ one without."""
STARTUP = 0.5
"""CPU seconds of `mj runs`."""
