"""Creates the first administrator from FIRST_ADMIN_NAME and FIRST_ADMIN_PASSWORD_FILE.

Where the portal is set up without a terminal, nobody could run `createsuperuser`. Once anybody
exists, both settings are ignored, so that a start can never reset a password.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from core.acts import record_act


class FirstAdminRefused(Exception):
    """The message names the setting and what to change, and never holds the password."""


def create_first_admin(report: Callable[[str], None]) -> None:
    """Create the administrator if nobody exists. Call it while the start lock is held.

    `report` receives the line for the log. Raises `FirstAdminRefused`.
    """
    name, file = settings.FIRST_ADMIN_NAME, settings.FIRST_ADMIN_PASSWORD_FILE
    if not (name and file) or User.objects.exists():
        return
    person = User(username=name)
    password = _read_password(file)
    try:
        validate_password(password, person)
    except ValidationError as error:
        raise FirstAdminRefused(
            f"FIRST_ADMIN_PASSWORD_FILE: {file} has a password that is not accepted."
            f" {' '.join(error.messages)}"
        ) from None
    with transaction.atomic():
        person = User.objects.create_superuser(name, password=password)
        record_act("staff.first_admin", by=None, subject=f"user:{person.pk}")
    report(f"Created the first administrator {name} with the password in {file}.")


def _read_password(file: str) -> str:
    try:
        password = Path(file).read_text(encoding="utf-8").strip("\r\n")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise FirstAdminRefused(
            f"FIRST_ADMIN_PASSWORD_FILE: {file} cannot be read: {reason}."
        ) from None
    if not password:
        raise FirstAdminRefused(f"FIRST_ADMIN_PASSWORD_FILE: {file} is empty.")
    return password
