"""A short run of chaos: engine clusters are killed while calls of every kind go out.

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
"""Kills a loop, right after it another process, and then a whole cluster, on either of two
hosts; by waiting for one recovery only it stays short."""
LAST_RESORT = 570.0
"""Seconds; a slow machine is no failure."""


@pytest.mark.each_database
@pytest.mark.timeout(LAST_RESORT + 60)
def test_kills_repeat_no_call_and_lose_nothing(tmp_path: Path) -> None:
    database = os.environ.get("TEST_DATABASE_URL") or "sqlite"
    figures = tmp_path / "figures.json"
    options = ["--kills", str(KILLS), "--texts", "150", "--seed", str(SEED), "--hurry"]
    said, code = _run([*options, "--database", database, "--json", str(figures)])
    assert code == 0, said
    found = json.loads(figures.read_text(encoding="utf-8"))
    assert found["kills"] == KILLS, said
    assert found["verdict"] == "kept", said
    assert all(one["in_the_book"] for one in found["calls"].values()), said


def _run(options: list[str]) -> tuple[str, int]:
    command = [sys.executable, "-m", "benchmarks.chaos", *options]
    with subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as chaos:
        try:
            said, _ = chaos.communicate(timeout=LAST_RESORT)
        except subprocess.TimeoutExpired:
            # Its own processes end with it.
            chaos.terminate()
            said, _ = chaos.communicate()
    return said, chaos.returncode
