"""Make an SQLite database of the portal in which every model has rows of every state.

    python -m tests.smsportal.moves.make_source FILE

In a process of its own, because the tests that move it are connected to PostgreSQL. Its tables are
made from the models, which takes a tenth of the time of all migrations.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

os.environ.pop("TEST_DATABASE_URL", None)
os.environ.pop("TEST_DATA_DIR", None)
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django

django.setup()

# Models cannot be imported before Django is set up.
from django.db import connection  # noqa: E402

from sandbox.server import Sandbox  # noqa: E402
from tests.smsportal.moves.quick_tables import make_tables  # noqa: E402
from tests.upgrade.fill import fill  # noqa: E402


def main(path: Path) -> None:
    connection.settings_dict["NAME"] = str(path.with_suffix(".filling"))
    make_tables()
    with Sandbox() as sandbox:
        fill(sandbox)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode=DELETE")
    connection.close()
    shutil.move(connection.settings_dict["NAME"], path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
