"""Writes what is in the image as a CycloneDX bill of materials: `sbom.py LOCK_FILE > sbom.json`.

Python packages come from the lock file, with the hashes that pip accepted; those of the system from
dpkg, where it exists. Needs nothing but Python, since the image is built without a network, too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

PINNED: Final = re.compile(
    r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?==(?P<version>[^\s;\\]+)", re.MULTILINE
)


def python_packages(lock_file: Path) -> Iterator[dict[str, Any]]:
    text = lock_file.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if found := PINNED.match(line):
            name, version = found["name"], found["version"]
            yield {
                "type": "library",
                "name": name,
                "version": version,
                "purl": f"pkg:pypi/{name.lower().replace('_', '-')}@{quote(version)}",
                "properties": [
                    {"name": "smsportal:accepted-sha256", "value": value}
                    for value in re.findall(r"--hash=sha256:([0-9a-f]{64})", line)
                ],
            }


def system_packages() -> Iterator[dict[str, Any]]:
    if not shutil.which("dpkg-query"):
        return
    form = "${Package}\t${Version}\t${Architecture}\n"
    listed = subprocess.run(  # noqa: S603
        ["dpkg-query", "--show", f"--showformat={form}"],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    )
    for line in listed.stdout.splitlines():
        name, version, architecture = line.split("\t")
        purl = f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={architecture}"
        yield {"type": "library", "name": name, "version": version, "purl": purl}


def make_bill(lock_file: Path) -> dict[str, Any]:
    project = tomllib.loads((lock_file.parent / "pyproject.toml").read_text(encoding="utf-8"))
    # The moment of the sources, if the build names it, so that the same sources give the same file.
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    made_at = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    components = [*python_packages(lock_file), *system_packages()]
    for component in components:
        component["bom-ref"] = component["purl"]
    named = json.dumps(components, sort_keys=True)
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, named)}",
        "version": 1,
        "metadata": {
            "timestamp": made_at.isoformat(timespec="seconds"),
            "component": {
                "type": "application",
                "bom-ref": "smsportal",
                "name": project["project"]["name"],
                "version": project["project"]["version"],
            },
        },
        "components": components,
    }


if __name__ == "__main__":
    json.dump(make_bill(Path(sys.argv[1]).resolve()), sys.stdout, indent=1)
