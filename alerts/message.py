"""Writes a message in the language and the time of its receiver.

The subject says what happened by itself. The rest adds when it began and where to look.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override, pgettext

from core.punctuation import in_brackets, join_sentences, label_text
from core.stored_texts import show
from core.times import full_time

from .kinds import BY_KEY
from .models import Delivery, Receiver
from .states import Occasion

LONGEST_SUBJECT: Final = 180


def write(delivery: Delivery, receiver: Receiver) -> tuple[str, str]:
    """The subject and the body."""
    with override(receiver.language), timezone.override(receiver.zone):
        if delivery.occasion == Occasion.TEST:
            return _test()
        lines = [show(line) for line in delivery.lines]
        parts = [*lines, _more(delivery, lines), _since(delivery), _link(delivery.page)]
        return _subject(delivery, lines), "\n".join(part for part in parts if part)


def title_of(delivery: Delivery) -> str:
    """What it is about, in the active language."""
    kind = BY_KEY.get(delivery.kind)
    if delivery.occasion == Occasion.TEST:
        return pgettext("alert", "Test")
    return str(kind.title) if kind else delivery.kind


def summary_of(delivery: Delivery) -> str:
    """In one line: the only alarm, or the title with the count."""
    if delivery.count == 1 and delivery.lines:
        return show(delivery.lines[0])
    title = title_of(delivery)
    return title if delivery.count <= 1 else in_brackets(title, delivery.count)


def _subject(delivery: Delivery, lines: Sequence[str]) -> str:
    text = summary_of(delivery)
    if delivery.occasion == Occasion.OVER:
        text = _("Resolved: %(what)s") % {"what": text}
    elif delivery.occasion == Occasion.AGAIN:
        text = _("Still: %(what)s") % {"what": text}
    subject = label_text(_("SMS portal"), text)
    return subject if len(subject) <= LONGEST_SUBJECT else subject[: LONGEST_SUBJECT - 1] + "…"


def _more(delivery: Delivery, lines: Sequence[str]) -> str:
    more = delivery.count - len(lines)
    if more <= 0:
        return ""
    return ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more}


def _since(delivery: Delivery) -> str:
    if delivery.since is None:
        return ""
    if delivery.occasion == Occasion.OVER:
        lasted = delivery.created_at - delivery.since
        return _("It was noticed at %(time)s and lasted %(minutes)d min.") % {
            "time": full_time(delivery.since),
            "minutes": round(lasted / timedelta(minutes=1)),
        }
    return _("Noticed at %(time)s.") % {"time": full_time(delivery.since)}


def _link(page: str) -> str:
    """Where to look. The address of the portal is not known everywhere."""
    return f"{settings.PUBLIC_ADDRESS}{page}" if settings.PUBLIC_ADDRESS and page else ""


def _test() -> tuple[str, str]:
    text = join_sentences(
        _("This is a test of the SMS portal."), _("Alerts to this receiver arrive.")
    )
    body = "\n".join(part for part in (text, settings.PUBLIC_ADDRESS) if part)
    return label_text(_("SMS portal"), pgettext("alert", "Test")), body
