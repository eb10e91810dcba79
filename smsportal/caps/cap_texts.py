"""Words of the pages of caps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core.countries import country_name
from core.people import person_name
from core.phones.parse import mask
from providers.caps.cap import EACH
from providers.models import Account, CapExemption, DailyLimit

from ..rights.roles import role_label


def names_of_accounts(rows: Iterable[DailyLimit | CapExemption]) -> dict[str, str]:
    """The names of the accounts that the rows are about, by key."""
    keys = {int(row.key) for row in rows if row.scope == "account" and row.key.isdigit()}
    named = Account.objects.filter(pk__in=keys).values_list("pk", "name") if keys else ()
    return {str(pk): name for pk, name in named}


def names_of_people(rows: Iterable[CapExemption]) -> dict[str, str]:
    keys = {int(row.key) for row in rows if row.scope == "user" and row.key.isdigit()}
    return {str(one.pk): person_name(one) for one in User.objects.filter(pk__in=keys)}


def subject_of(limit: DailyLimit, accounts: Mapping[str, str]) -> str:
    """Who or what a cap applies to. Numbers are masked."""
    if limit.user is not None:
        return person_name(limit.user)
    if limit.group is not None:
        return role_label(limit.group.name)
    return key_text(limit.scope, limit.key, accounts)


def key_text(scope: str, key: str, names: Mapping[str, str]) -> str:
    if key == EACH:
        return each_text(scope)
    if scope == "number":
        return mask(key)
    if scope == "prefix":
        return pgettext("cap", "Numbers that begin with %(prefix)s") % {"prefix": key}
    if scope == "country":
        return country_name(key)
    return names.get(key, "–")


def each_text(scope: str) -> str:
    """What a cap applies to that stands for everything without a cap of its own."""
    return {
        "user": _("Each person without a cap of their own"),
        "number": _("Each phone number"),
        "prefix": _("Each range of 10,000 numbers"),
        "country": _("Every other country or region"),
    }.get(scope, "")


def kind_text(limit: DailyLimit) -> str:
    """Which kind of subject the cap has."""
    if limit.group_id is not None:
        return pgettext("cap", "Role")
    scope = "user" if limit.user_id is not None else limit.scope
    return str(DailyLimit.Scope(scope).label)
