"""The history of an account: when it was added, and its pauses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.utils.translation import gettext as _

from core.admin.timeline import TimelineEntry, sort_entries
from core.people import person_name

from ..accounts import BY_HAND
from ..error_texts import explain
from ..models import Account, AccountPause

PAUSES_SHOWN: Final = 10


def timeline(account: Account) -> list[TimelineEntry]:
    """The entries, oldest first, with the newest pauses."""
    pauses = account.pauses.select_related("paused_by", "resumed_by").order_by("-started_at")
    lines = [TimelineEntry(_("Account added"), account.created_at)]
    for pause in pauses[:PAUSES_SHOWN]:
        lines += _pause_entries(pause)
    return sort_entries(lines)


def _pause_entries(pause: AccountPause) -> Iterator[TimelineEntry]:
    if pause.reason == BY_HAND:
        text = _("Paused by %(name)s") % {"name": person_name(pause.paused_by)}
    else:
        text = _("Paused: %(reason)s") % {"reason": explain(pause.reason).title}
    yield TimelineEntry(text, pause.started_at)
    if pause.ended_at is not None:
        yield TimelineEntry(
            _("Resumed by %(name)s") % {"name": person_name(pause.resumed_by)}, pause.ended_at
        )
