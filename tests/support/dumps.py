"""A logical dump of the test's database, as an administrator would make one."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import closing

from django.db import connection

from smsportal.backup import pg_tools


def dump() -> str:
    """Every committed row as text. Bytes are in hexadecimal."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(str(connection.settings_dict["NAME"]))) as own:
            return "\n".join(own.iterdump())
    parameters = connection.get_connection_params()
    variables, arguments = pg_tools.environment(parameters)
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        (version,) = cursor.fetchone()
    answer = subprocess.run(
        [pg_tools.find("pg_dump", int(version)), "--inserts", *arguments],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout


def has_digits(text: str, digits: str) -> bool:
    """Whether these digits are in the dump, also within bytes."""
    return digits in text or digits.encode().hex() in text.lower()
