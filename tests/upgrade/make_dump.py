"""Make the dump of this release for the database that the tests run on.

    python -m tests.upgrade.make_dump
    python -m tests.database python -m tests.upgrade.make_dump

Run it with the code of that release. See README.md.
"""

from __future__ import annotations

import lzma
import os
import sqlite3
import subprocess
import sys
import tomllib
from pathlib import Path

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django

django.setup()

# Models cannot be imported before Django is set up.
from django.apps import apps  # noqa: E402
from django.db import connection  # noqa: E402

from sandbox.server import Sandbox  # noqa: E402
from smsportal.configuration.environment import BASE_DIR  # noqa: E402
from tests.upgrade.databases import DUMPS, FILE  # noqa: E402
from tests.upgrade.fill import fill, missing  # noqa: E402


def release() -> str:
    found = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())
    return str(found["project"]["version"])


def sqlite_dump() -> str:
    with sqlite3.connect(connection.settings_dict["NAME"]) as opened:
        return "\n".join(opened.iterdump()) + "\n"


def postgres_dump() -> str:
    parameters = connection.get_connection_params()
    words = {"--host": "host", "--port": "port", "--username": "user"}
    named = [f"{flag}={parameters[key]}" for flag, key in words.items() if parameters.get(key)]
    options = ["--no-owner", "--no-privileges", "--inserts", "--rows-per-insert=100"]
    command = ["pg_dump", *options, *named, str(connection.settings_dict["NAME"])]
    password = {"PGPASSWORD": str(parameters["password"])} if parameters.get("password") else {}
    environment = {**os.environ, **password}
    dump = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    # `\restrict` is a psql command, and older servers do not know the timeout.
    kept = [
        line
        for line in dump.stdout.splitlines()
        if not line.startswith(("--", "\\", "SET transaction_timeout"))
    ]
    return "\n".join(line for line in kept if line) + "\n"


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    text = sqlite_dump() if connection.vendor == "sqlite" else postgres_dump()
    packed = lzma.compress(text.encode(), preset=9 | lzma.PRESET_EXTREME)
    file = folder / FILE[connection.vendor]
    file.write_bytes(packed)
    print(f"{file}: {len(packed):,} bytes")


def main() -> int:
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        with Sandbox() as sandbox:
            fill(sandbox)
        if absent := list(missing(apps.get_models(include_auto_created=True))):
            print("No row was made for:", *absent, sep="\n  ")
            return 1
        write(DUMPS / release())
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
