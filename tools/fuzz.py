"""Search for input that breaks callbacks, provider answers, files or forms, with hypothesis.

python -m tools.fuzz [--minutes 10] [--seed N] [PYTEST_OPTION…]

Runs the tests marked `fuzz` round after round, each with the next seed. Ends with 1 after the
first round that fails; hypothesis has then printed the shrunk input, which becomes a test.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import time
from collections.abc import Sequence

EXAMPLES = 300
"""Of each test in each round."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, help="of the first round")
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="a round (%(default)s)")
    options, others = parser.parse_known_args(arguments)
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    started, rounds = time.monotonic(), 0
    while rounds == 0 or time.monotonic() - started < 60 * options.minutes:
        code = _search(seed + rounds, options.examples, others)
        rounds += 1
        print(
            f"Round {rounds}, seed {seed + rounds - 1}:"
            f" {'found nothing' if code == 0 else 'FAILED'},"
            f" {(time.monotonic() - started) / 60:.1f} minutes",
            flush=True,
        )
        if code:
            return code
    return 0


def _search(seed: int, examples: int, options: Sequence[str]) -> int:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-m",
        "fuzz",
        "--tier=all",
        "-p",
        "no:randomly",
    ]
    return subprocess.run(  # noqa: S603
        [*command, f"--hypothesis-seed={seed}", "--timeout=3600", *options],
        env={**os.environ, "FUZZ_EXAMPLES": str(examples)},
        check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
