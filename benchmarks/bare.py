"""The baseline for callbacks: a view that inserts one row and does nothing else.

`DJANGO_SETTINGS_MODULE=benchmarks.bare` adds this view to the portal's settings and URLs, so that
the same processes serve both with the same middleware.
"""

from __future__ import annotations

import secrets

from smsportal.settings import *  # noqa: F403

ROOT_URLCONF = "benchmarks.bare_urls"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}


def insert_bare_row(account_id: int, body: bytes) -> None:
    """Insert the row of a callback into its table with a plain INSERT."""
    from django.db import connection
    from django.utils import timezone

    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO providers_callback (
                   public_id, account_id, digest, method, query, body, content_type, sender,
                   received_at, last_at, next_try_at, times, state, kind, says, words, subject,
                   matched_by, problem, events, outcomes, tries, failures
               ) VALUES (%s, %s, %s, 'POST', '', %s, 'application/json', '', %s, %s, NULL, 1,
                         'applied', '', '', '', '', '', '', 0, '[]', 0, 0)""",
            [secrets.token_urlsafe(12), account_id, secrets.token_hex(32), body, now, now],
        )
