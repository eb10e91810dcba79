"""What is known about a message whose outcome is not, to help whoever settles it."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from core.times import short_time
from providers.models import BalanceReading

from .labels import gives_reports
from .models import Message


def known_about(message: Message) -> list[str]:
    """Short facts in the reader's language; hints, never a verdict."""
    sent = message.handed_over_at
    if sent is None:
        return []
    facts = [_("sent %(time)s") % {"time": short_time(sent)}]
    if message.http_status:
        facts.append(_("answered with HTTP %(status)s") % {"status": message.http_status})
    else:
        facts.append(_("no answer"))
    if gives_reports(message.account):
        until = sent + timedelta(hours=settings.REPORT_HOURS)
        facts.append(_("no report yet (waiting until %(time)s)") % {"time": short_time(until)})
    balances = _balances_around(message)
    if balances:
        before, after = balances
        facts.append(
            _("balance before %(before)s, after %(after)s (a hint only)")
            % {"before": before.spendable, "after": after.spendable}
        )
    return facts


def _balances_around(message: Message) -> tuple[BalanceReading, BalanceReading] | None:
    """The readings next to the send, if the provider states a balance."""
    readings = BalanceReading.objects.filter(account=message.account_id)
    sent, ended = message.handed_over_at, message.answered_at or message.ended_at
    before = readings.filter(read_at__lte=sent).order_by("-read_at").first()
    after = readings.filter(read_at__gte=ended).order_by("read_at").first() if ended else None
    return (before, after) if before and after else None
