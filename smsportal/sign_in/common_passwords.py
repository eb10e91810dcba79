"""Refuses passwords that others use most, which is what is tried first."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.password_validation import CommonPasswordValidator as DjangoValidator
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

FILE: Final = Path(__file__).with_name("common_passwords.txt")
"""Its head names its source."""


@cache
def common_passwords() -> frozenset[str]:
    """Those of our list and of Django's, which knows 20,000."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    ours = {line for line in lines if line and not line.startswith("#")}
    return frozenset(ours | DjangoValidator().passwords)


class CommonPasswordValidator:
    def validate(self, password: str, user: Any = None) -> None:
        if password.casefold().strip() in common_passwords():
            raise ValidationError(
                _("Many people use this password, so it is tried first."),
                code="password_too_common",
            )

    def get_help_text(self) -> str:
        return _("The password must not be one that many people use.")
