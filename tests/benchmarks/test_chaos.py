"""A short chaos run: engine clusters are killed while calls of every kind are in flight.

`make chaos` runs the long one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
KILLS = 3
SEED = 19776
"""Kills a loop, another process right after it, and then a whole cluster, on either of two hosts.

It needs to wait for one recovery only and stays short.
"""
TIMEOUT = 570.0
"""Seconds; a slow machine is no failure."""


@pytest.mark.each_database
@pytest.mark.timeout(TIMEOUT + 60)
def test_kills_repeat_no_call_and_lose_nothing(tmp_path: Path) -> None:
    database = os.environ.get("TEST_DATABASE_URL") or "sqlite"
    figures = tmp_path / "figures.json"
    options = ["--kills", str(KILLS), "--texts", "150", "--seed", str(SEED), "--hurry"]
    output, code = _run([*options, "--database", database, "--json", str(figures)])
    assert code == 0, output
    found = json.loads(figures.read_text(encoding="utf-8"))
    assert found["kills"] == KILLS, output
    assert found["verdict"] == "kept", output
    assert all(one["in_the_book"] for one in found["calls"].values()), output


def _run(options: list[str]) -> tuple[str, int]:
    command = [sys.executable, "-m", "benchmarks.chaos", *options]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as chaos:
        try:
            output, _ = chaos.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            # Its child processes end with it.
            chaos.terminate()
            output, _ = chaos.communicate()
    return output, chaos.returncode
