"""A million rows are exported in slices and within the memory that is wanted."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

ROWS = 1_000_000
MOST_MEGABYTES = 300
LONGEST_SLICE = 20.0
"""Seconds."""


# Two files of a million rows, which take minutes each.
@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_million_rows_stay_within_memory_and_slices_within_their_time() -> None:
    command = [sys.executable, "-m", "benchmarks.exports", str(ROWS)]
    output = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env=os.environ
    ).stdout
    assert output.count(f"ready, {ROWS:,} rows") == 2, output
    most = [int(found) for found in re.findall(r"(\d+) MB at the most", output)]
    assert len(most) == 4, output
    assert max(most) < MOST_MEGABYTES, output
    longest = [float(found) for found in re.findall(r"longest ([\d.]+) s", output)]
    assert max(longest) <= LONGEST_SLICE, output
