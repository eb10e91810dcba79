"""The demo's staff: one member for each role, and an administrator.

The passwords are random. A file that only its owner can read keeps them, so that every start can
print them.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group, User

ROLES = ("viewer", "operator", "manager", "auditor")
ADMINISTRATOR = "admin"
MAY = {
    ADMINISTRATOR: "may do everything, also change roles and other people's passwords.",
    "viewer": "reads lists and pages, with numbers and texts masked, and changes nothing.",
    "operator": "sends single SMS and codes, checks codes, and rents and cancels numbers.",
    "manager": "also sends batches, sets unknown outcomes, exports, and keeps accounts and staff.",
    "auditor": "reads and exports, and sees API calls, callbacks and the audit log.",
}
"""What each may do, as the last lines of a start say."""


def describe_staff(passwords: dict[str, str]) -> list[str]:
    """Lines with the name, the password and the rights of each, and the file of the passwords."""
    lines = [f"Sign in as one of these. {password_file()} holds the passwords."]
    return lines + [f"  {name:<9} {word:<13} {MAY[name]}" for name, word in passwords.items()]


def password_file() -> Path:
    return Path(settings.DATA_DIR / "demo-passwords.txt")


def create_staff() -> dict[str, str]:
    """Create missing members. Returns the password of each, also of those that were there."""
    file = password_file()
    known = dict(line.split() for line in file.read_text().splitlines()) if file.exists() else {}
    passwords = {name: known.get(name, "") for name in (ADMINISTRATOR, *ROLES)}
    for name, password in passwords.items():
        user, created = User.objects.get_or_create(username=name, defaults={"is_staff": True})
        if created or not password:
            passwords[name] = password = password or secrets.token_urlsafe(9)
            user.set_password(password)
        user.is_superuser = name == ADMINISTRATOR
        user.save()
        if name in ROLES:
            user.groups.add(Group.objects.get_or_create(name=name)[0])
    _write_private(file, "".join(f"{name} {password}\n" for name, password in passwords.items()))
    return passwords


def _write_private(file: Path, text: str) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text)
