"""Run every measurement on SQLite and on PostgreSQL.

With `LONG=1` the measurement of limits takes ten minutes instead of one, and that of rented
numbers runs until their orders end. Nothing is asserted. Figures need an otherwise idle machine.

python -m benchmarks [sqlite | postgresql | postgres://…] …
"""

from __future__ import annotations

import os
import subprocess
import sys

from . import portal

LONG = "600"


def measurements() -> list[list[str]]:
    seconds = LONG if os.environ.get("LONG") else "60"
    return [
        ["dispatch", "16", "32", "64"],
        ["task_per_message"],
        ["latency"],
        ["idle"],
        ["weight"],
        ["codes"],
        ["limits", "--seconds", seconds],
        ["hand_overs"],
        ["callbacks"],
        ["rentals", "--shorten", "1" if os.environ.get("LONG") else "0.2"],
        ["batch_import"],
        ["batches"],
        ["caps"],
        ["probes"],
    ]


def main() -> int:
    failed = 0
    load = os.getloadavg()[0]
    print(f"Load of this machine before: {load:.1f} (figures count only if it is near 0)")
    for wanted in sys.argv[1:] or ["sqlite", "postgresql"]:
        for module, *arguments in measurements():
            with portal.database(wanted):
                command = [sys.executable, "-m", f"benchmarks.{module}", *arguments]
                failed += subprocess.run(command, check=False).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
