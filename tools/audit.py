"""Look up the installed versions in the public list of vulnerabilities, with pip-audit.

python -m tools.audit [LOCK_FILE]

Exits with 1 only if a version is known to be vulnerable. Without pip-audit, or where the list
cannot be reached, it prints one line that nothing was checked.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

LOCK_FILE: Final = "requirements.lock"
TIMEOUT: Final = 120.0
ACCEPTED: Final[Mapping[str, str]] = {}
"""Ids of vulnerabilities that do not apply to the portal, and why."""


def main(arguments: Sequence[str]) -> int:
    lock = arguments[0] if arguments else LOCK_FILE
    if importlib.util.find_spec("pip_audit") is None:
        return _skip("pip-audit is not installed")
    # The lock file names every version, so nothing is resolved or installed.
    command = ["-r", lock, "--disable-pip", "--require-hashes", "--format", "json"]
    try:
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "pip_audit", "--progress-spinner", "off", *command],
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _skip(f"no answer came within {TIMEOUT:g} s")
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return _skip((done.stderr.strip().splitlines() or ["no answer came"])[-1][:200])
    return report(found)


def report(dependencies: Sequence[Mapping[str, Any]]) -> int:
    """Print the vulnerable versions. Returns the exit code."""
    checked = [one for one in dependencies if "skip_reason" not in one]
    if not checked:
        return _skip("the list of vulnerabilities cannot be reached")
    wrong = [
        f"{one['name']} {one['version']}: {vulnerability['id']}, fixed in"
        f" {', '.join(vulnerability['fix_versions']) or 'no version'}"
        for one in checked
        for vulnerability in one["vulns"]
        if vulnerability["id"] not in ACCEPTED
    ]
    for line in wrong:
        print(line)
    print(f"{len(checked)} of {len(dependencies)} versions were checked.")
    return 1 if wrong else 0


def _skip(reason: str) -> int:
    print(f"Skipped: {reason}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
