"""A short storm: engine clusters are killed while messages go out, and nothing goes twice.

`make storm` runs the long one.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
LAST_RESORT = 570.0
"""Seconds; a slow machine is no failure."""


@pytest.mark.each_database
@pytest.mark.timeout(LAST_RESORT + 60)
@pytest.mark.parametrize(
    ("messages", "kills"), [(100, 2), pytest.param(300, 5, marks=pytest.mark.slow)]
)
def test_kills_send_nothing_twice_and_lose_nothing(messages: int, kills: int) -> None:
    database = os.environ.get("TEST_DATABASE_URL") or "sqlite"
    options = (
        "--messages",
        str(messages),
        "--kills",
        str(kills),
        "--hurry",
        "--database",
        database,
    )
    command = [sys.executable, "-m", "benchmarks.storm", *options]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as storm:
        try:
            said, _ = storm.communicate(timeout=LAST_RESORT)
        except subprocess.TimeoutExpired:
            # Its own processes end with it.
            storm.terminate()
            said, _ = storm.communicate()
    assert storm.returncode == 0, said
    assert said.count("  kill ") == kills, said
