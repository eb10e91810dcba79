"""The reasons why nobody was signed in over the provider, in the words of the audit log."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Refusal(StrEnum):
    DOWN = "down"
    CANCELLED = "cancelled"
    STALE = "stale"
    INVALID = "invalid"
    OTHER_PERSON = "other_person"
    NOT_CONFIRMED = "not_confirmed"
    NO_ROLE = "no_role"
    UNKNOWN = "unknown"
    NAME_TAKEN = "name_taken"
    CLOSED = "closed"
    ADMINISTRATOR = "administrator"


WORDS: Final[dict[str, Promise]] = {
    Refusal.NO_ROLE: _("no group with a role"),
    Refusal.UNKNOWN: _("no account"),
    Refusal.NAME_TAKEN: _("username taken"),
    Refusal.CLOSED: _("account closed"),
    Refusal.ADMINISTRATOR: _("an administrator"),
    Refusal.INVALID: _("two sign-ins at once"),
}
"""Of those that are recorded: what the provider's word did not suffice for."""
