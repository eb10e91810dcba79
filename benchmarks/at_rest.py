"""What a portal that runs already takes while nobody uses it: processor time and memory.

python -m benchmarks.at_rest PID [seconds]

PID is that of `manage.py portal`. Let it run for two minutes before, so that everything has come
to rest. The share of a core comes from the processor time of its processes, so other work on the
machine matters less than for a wall clock. Memory is the proportional set size: shared pages count
once.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from smsportal.hosts.measures import descendants, memory_of_process

SECONDS = 60.0


def main() -> None:
    portal = int(sys.argv[1])
    seconds = float(sys.argv[2]) if sys.argv[2:] else SECONDS
    processes = (portal, *descendants(portal))
    before = {pid: processor_time(pid) for pid in processes}
    began = time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - began
    shares = {pid: 100 * (processor_time(pid) - before[pid]) / passed for pid in processes}
    sizes = {pid: (memory_of_process(pid) or 0) / 1024**2 for pid in processes}
    for pid in processes:
        print(f"{shares[pid]:6.2f} %  {sizes[pid]:6.1f} MB  {name_of(pid)}")
    print(
        f"{sum(shares.values()):6.2f} %  {sum(sizes.values()):6.1f} MB "
        f" all {len(processes)} processes"
    )


def processor_time(pid: int) -> float:
    """Seconds; 0 if the process has ended."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def name_of(pid: int) -> str:
    """As in lists of processes: that of its program."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "ended"


if __name__ == "__main__":
    main()
