"""How figures are written: shares, changes and the names of what a cut is by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from django.contrib.auth.models import User
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from core.admin.labels import label_for
from core.countries import country_name
from core.people import person_name
from messaging.models import Batch
from providers.error_texts import explain
from providers.models import Account

from ..cuts import By
from ..models import Figure
from ..summaries import Outcome, Subject

SUBJECTS: Final = {
    Subject.MESSAGES: pgettext_lazy("figures", "Messages"),
    Subject.CODES: pgettext_lazy("figures", "Codes"),
    Subject.NUMBERS: gettext_lazy("Rented numbers"),
}
LABEL_KINDS: Final = {
    Subject.MESSAGES: "message",
    Subject.CODES: "session",
    Subject.NUMBERS: "order",
}
"""The kinds of state labels (`core.admin.labels`)."""
OUTCOMES: Final = {
    Subject.MESSAGES: {
        Outcome.GOOD: pgettext_lazy("state", "Delivered"),
        Outcome.OPEN: gettext_lazy("Waiting, or accepted without a report yet"),
        Outcome.SILENT: gettext_lazy("Accepted (no reports)"),
        Outcome.FAILED: gettext_lazy("Not delivered"),
        Outcome.UNKNOWN: gettext_lazy("Outcome unknown"),
    },
    Subject.CODES: {
        Outcome.GOOD: pgettext_lazy("state", "Verified"),
        Outcome.OPEN: pgettext_lazy("figures", "Open"),
        Outcome.FAILED: gettext_lazy("Not verified"),
        Outcome.UNKNOWN: gettext_lazy("Outcome unknown"),
    },
    Subject.NUMBERS: {
        Outcome.GOOD: gettext_lazy("With SMS"),
        Outcome.OPEN: pgettext_lazy("figures", "Open"),
        Outcome.FAILED: gettext_lazy("Ended without SMS"),
        Outcome.UNKNOWN: gettext_lazy("Outcome unknown"),
    },
}


def percent(share: float | None) -> str:
    """96.6%; nothing if there is no share."""
    return "" if share is None else f"{100 * share:.1f}%".replace(".0%", "%")


def growth(now: int, before: int) -> str:
    """How a count has changed: +8%, −3%, or in words where a share would say nothing."""
    if not before:
        return pgettext("figures", "0 before")
    change = round(100 * (now - before) / before)
    return f"{'+' if change > 0 else '−'}{abs(change)}%" if change else _("no change")


def formerly(before: int) -> str:
    """The count before, in brackets; empty where `growth` says already that there was none."""
    return f"({before:,})" if before else ""


def points(now: float | None, before: float | None) -> str:
    """How a share has changed, in percentage points."""
    if now is None or before is None:
        return ""
    change = round(100 * (now - before), 1)
    if not change:
        return _("no change")
    sign = "+" if change > 0 else "−"
    return _("%(n)s points") % {"n": f"{sign}{abs(change):g}"}


def difference(now: int, before: int) -> str:
    if now == before:
        return _("no change")
    return f"{'+' if now > before else '−'}{abs(now - before):,}"


def seconds(value: float | None) -> str:
    """4.2 s, 3 min: as precisely as classes of durations allow."""
    if value is None:
        return ""
    if value < 10:
        return _("%(seconds)s s") % {"seconds": f"{value:.1f}".replace(".0", "")}
    if value < 100:
        return _("%(seconds)s s") % {"seconds": round(value)}
    return _("%(minutes)s min") % {"minutes": round(value / 60)}


def names_of(by: By, values: Iterable[Any], subject: Subject) -> Callable[[Any], str]:
    """A function from a stored value of a cut to its name."""
    known = {value for value in values if value is not None}
    match by:
        case By.ACCOUNT:
            names: dict[Any, str] = dict(
                Account.objects.filter(pk__in=known).values_list("pk", "name")
            )
        case By.PERSON:
            names = {user.pk: person_name(user) for user in User.objects.filter(pk__in=known)}
        case By.BATCH:
            batches = Batch.objects.filter(pk__in=known)
            names = {one.pk: one.title for one in batches}
        case By.KIND:
            names = {kind.value: str(kind.label) for kind in Figure.Kind}
        case By.COUNTRY:
            names = {code: country_name(code) for code in known}
        case By.STATE:
            names = {one: str(label_for(LABEL_KINDS[subject], one).word) for one in known}
        case By.REASON:
            names = {reason: explain(reason).title or reason for reason in known if reason}
        case _:
            names = {}
    return lambda value: names.get(value) or _nothing(by, value)


def _nothing(by: By, value: Any) -> str:
    """The name of a value that is empty or whose row is gone."""
    if value not in (None, ""):
        return str(value)
    return {
        By.PERSON: _("the portal"),
        By.BATCH: _("not in a batch"),
        By.REASON: _("no reason given"),
        By.COUNTRY: pgettext("figures", "unknown"),
    }.get(by, "")


DATA: Final = frozenset({By.ACCOUNT, By.PERSON, By.BATCH})
"""Cuts whose names are data, which browsers must not translate."""
