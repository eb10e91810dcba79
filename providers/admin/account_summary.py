"""The facts about an account that its page and the list show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext

from core.admin.buttons import Text
from core.countries import country_name
from core.fields import UnreadableSecret
from core.people import person_name
from core.punctuation import join_sentences, listed
from core.templatetags.portal import amount
from core.times import full_time

from .. import clock
from ..account_checks import NOTHING_TO_CHECK, is_checkable
from ..account_facts import facts_about
from ..accounts import BY_HAND
from ..engine.leases import is_engine_alive
from ..error_texts import Explanation, explain, own_words
from ..gateway.client import ReceivesCallbacks
from ..models import Account, ApiCall, BalanceReading, Enquiry
from ..presentation import account_timeline
from .form_changes import SECRET, SENDING

READINGS_SHOWN: Final = 20
FIRST_MINUTE: Final = timedelta(minutes=1)


def annotate_summary(accounts: QuerySet[Account]) -> QuerySet[Account]:
    """Annotate each account with what the list sorts by or shows of its rows."""
    calls = ApiCall.objects.filter(account=OuterRef("pk")).order_by("-started_at")
    return accounts.select_related("paused_by").annotate(
        last_call_at=Subquery(calls.values("started_at")[:1])
    )


@dataclass(frozen=True)
class SecretFacts:
    """Facts about a secret, without its value."""

    label: str
    saved_at: datetime | None
    is_old: bool = False
    is_readable: bool = True

    @property
    def date(self) -> str:
        return f"{timezone.localtime(self.saved_at):%Y-%m-%d}" if self.saved_at else ""

    @property
    def days(self) -> int:
        return (clock.now() - self.saved_at).days if self.saved_at else 0


def secret_facts(account: Account) -> list[SecretFacts]:
    client = account.client
    stored = {each.name: each for each in account.credentials.all()}
    facts = []
    for field in client.credential_fields if client else ():
        credential = stored.get(field.name)
        label = gettext(field.label)
        if credential is None:
            facts.append(SecretFacts(label, None))
            continue
        try:
            credential.value.reveal()
            readable = True
        except UnreadableSecret:
            readable = False
        facts.append(SecretFacts(label, credential.saved_at, credential.is_old, readable))
    return facts


@dataclass(frozen=True)
class CheckStatus:
    """The status of the newest check that a person requested."""

    role: str
    icon: str
    text: Text
    explanation: Explanation | None = None
    words: str = ""
    asked_at: datetime | None = None
    asked_by: str = ""
    poll_every: int | None = None
    """Seconds; None once the check has ended."""


def newest_check(account: Account) -> Enquiry | None:
    asked = account.enquiries.filter(asked_by__isnull=False)
    return asked.select_related("reading", "asked_by").order_by("-pk").first()


def check_status(account: Account, enquiry: Enquiry | None) -> CheckStatus | None:
    if enquiry is None:
        return None
    by = person_name(enquiry.asked_by) if enquiry.asked_by else ""
    shared: dict[str, Any] = {"asked_at": enquiry.asked_at, "asked_by": by}
    match enquiry.state:
        case Enquiry.State.QUEUED | Enquiry.State.CLAIMED:
            return CheckStatus(
                "info", "sync", _pending_text(account), poll_every=_poll_interval(enquiry), **shared
            )
        case Enquiry.State.FAILED:
            reason = explain(enquiry.reason, free=True, words=enquiry.words)
            words = own_words(enquiry.reason, enquiry.words)
            return CheckStatus("danger", "error", reason.title, reason, words, **shared)
    if enquiry.reason == NOTHING_TO_CHECK:
        return CheckStatus("info", "info", nothing_to_check(account), **shared)
    reading = enquiry.reading
    if reading is not None and reading.is_active is False:
        return CheckStatus("warning", "warning", _success_text(reading), **shared)
    return CheckStatus("success", "check_circle", _success_text(reading), **shared)


def nothing_to_check(account: Account) -> str:
    text = gettext(
        "%(provider)s cannot be checked without sending. The first message will show"
        " whether the password is correct."
    )
    return text % {"provider": account.provider_name}


def _pending_text(account: Account) -> str:
    if not is_engine_alive():
        return gettext("The queue is not running. The check starts when it runs again.")
    return gettext("Checking with %(provider)s…") % {"provider": account.provider_name}


def _poll_interval(enquiry: Enquiry) -> int:
    return 2 if clock.now() - enquiry.asked_at < FIRST_MINUTE else 5


def _success_text(reading: BalanceReading | None) -> str:
    if reading is None or reading.spendable is None:
        return gettext("Connection works.")
    values = {"n": amount(reading.spendable)}
    if reading.is_active is None:
        return gettext("Connection works. Available %(n)s.") % values
    if reading.is_active:
        return gettext("Connection works. Available %(n)s, account active.") % values
    return (
        gettext(
            "Connection works. Available %(n)s, but the provider reports the account as inactive."
        )
        % values
    )


def pause_text(account: Account) -> str:
    if account.paused_at is None:
        return ""
    if account.pause_reason == BY_HAND:
        by = person_name(account.paused_by) if account.paused_by else ""
        text = gettext("Paused by %(name)s since %(time)s.")
        return text % {"name": by, "time": full_time(account.paused_at)}
    text = gettext("Paused since %(time)s: %(reason)s")
    reason = explain(account.pause_reason, words=account.pause_words).title
    return text % {"time": full_time(account.paused_at), "reason": reason}


def paused_note(account: Account, consequence: Text) -> str:
    """Why and since when the account is paused, and what follows; empty if it is not paused."""
    return join_sentences(pause_text(account), consequence) if account.is_paused else ""


def panel_context(account: Account) -> dict[str, Any]:
    """The part of the page's context that is the same for every user."""
    client = account.client
    readings = list(account.readings.order_by("-read_at", "-pk")[:READINGS_SHOWN])
    facts = facts_about(account)
    return {
        "state": facts.state,
        "balance": facts.balance,
        "pause_sentence": pause_text(account),
        "pause": explain(account.pause_reason, words=account.pause_words)
        if account.pause_reason
        else None,
        "pause_words": own_words(account.pause_reason, account.pause_words),
        "by_hand": account.pause_reason == BY_HAND,
        "latest": facts.balance.reading,
        "readings": readings,
        "lines": account_timeline.timeline(account),
        "is_low": facts.balance.is_low,
        "has_balance": facts.balance.is_provided,
        "can_be_asked": is_checkable(client),
        "sends": client is not None and issubclass(client, SENDING),
        "countries": listed(country_name(code) for code in account.allowed_countries),
        "takes_callbacks": client is not None and issubclass(client, ReceivesCallbacks),
        "news": check_status(account, newest_check(account)),
        "engine_sleeps": not is_engine_alive(),
        "outgoing_addresses": settings.OUTGOING_ADDRESSES,
        "support": client.support if client else "",
        "secret_field": f"id_{SECRET}{client.credential_fields[-1].name}" if client else "",
    }
