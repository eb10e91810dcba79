"""Select sessions by the label of their newest message, as the list shows it."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet

from messaging.models import Message
from messaging.on_hold import ON_HOLD
from messaging.presentation.labels import MARKED_SENT, NO_REPORTS, REPORT_OVERDUE
from messaging.presentation.labels import where_shown as where_message_shown
from messaging.states import WAITING, MessageState
from providers import clock
from providers.gateway.registry import clients
from providers.models import Account

from ..models import SentCode, Session
from ..sms_states import MARKED, UNDER_WAY

_M = MessageState


def sms_parts(shown: str) -> list[Q]:
    """Disjoint conditions, each of which an index serves."""
    by_message = Exists(_newest_codes(shown))
    parts = [Q(by_message, sms_state=UNDER_WAY)]
    if Session.objects.filter(sms_state=None).exists():
        parts.append(Q(by_message, sms_state=None))
    if shown != ON_HOLD and shown not in WAITING:
        parts.append(_noted(shown))
    return parts


def _newest_codes(shown: str) -> QuerySet[SentCode]:
    newer = SentCode.objects.filter(session=OuterRef("session"), serial__gt=OuterRef("serial"))
    messages = Message.objects.filter(where_message_shown(shown), pk=OuterRef("message"))
    codes = SentCode.objects.filter(~Exists(newer), Exists(messages), session=OuterRef("pk"))
    return codes.order_by()


def _noted(shown: str) -> Q:
    oldest = clock.now() - timedelta(hours=settings.REPORT_HOURS)
    overdue = Q(sms_since__lte=oldest)
    match shown:
        case _M.SUBMITTED:
            return Q(_accounts(reporting=True), sms_state=_M.SUBMITTED) & ~overdue
        case _ if shown == REPORT_OVERDUE:
            return Q(_accounts(reporting=True), sms_state=_M.SUBMITTED) & overdue
        case _ if shown == NO_REPORTS:
            return Q(_accounts(reporting=False), sms_state=_M.SUBMITTED)
        case _ if shown == MARKED_SENT:
            return Q(sms_state=MARKED)
    return Q(sms_state=shown)


def _accounts(*, reporting: bool) -> Q:
    """Accounts whose provider sends delivery reports, or the others.

    The others are left out: for those that are wanted, SQLite would read all their codes and sort
    them.
    """
    reported = {key for key, client in clients().items() if client.reports_delivery}
    known = Account.objects.order_by("pk").values_list("pk", "provider")
    return ~Q(account__in=[pk for pk, key in known if (key in reported) != reporting])
