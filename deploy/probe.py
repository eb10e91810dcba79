"""Ends with 0 if the portal of this container is ready, else with 1 and the answer.

For HEALTHCHECK, where no other HTTP client is installed. A host without a web server has no
address to ask, and counts as healthy while its supervisor runs.
"""

import os
import sys
import urllib.error
import urllib.request
from pathlib import Path


def main() -> int:
    if "--only\0work" in Path("/proc/1/cmdline").read_text(encoding="utf-8", errors="replace"):
        return 0
    port = os.environ.get("BIND", "").rpartition(":")[2] or "8000"
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=8):
            return 0
    except urllib.error.HTTPError as error:
        sys.stderr.write(error.read(2000).decode("utf-8", "replace") + "\n")
    except OSError as error:
        sys.stderr.write(f"{error}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
