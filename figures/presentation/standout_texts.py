"""What fails more than usual, in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.admin.attention import AttentionItem
from core.admin.labels import Role
from core.times import short_time

from ..cuts import By
from ..models import RollUp
from ..standouts import Standout
from ..summaries import Subject
from . import words

MOST: Final = 3
PARAMETERS = {By.ACCOUNT: "account", By.COUNTRY: "country", By.PERSON: "person"}


@dataclass(frozen=True, slots=True)
class StandoutLine:
    text: str
    url: str
    standout: Standout


def standout_lines() -> list[StandoutLine]:
    """Read what was noted last. The caller checks the permission."""
    noted = RollUp.objects.filter(pk=1).values_list("standouts", flat=True).first() or []
    found = [Standout(**one) for one in noted]
    return [StandoutLine(_text(one), _url(one), one) for one in found]


def attention_items(request: HttpRequest) -> Iterator[AttentionItem]:
    if request.user.has_perms(("figures.view_figures", "messaging.view_message")):
        for line in standout_lines()[:MOST]:
            yield AttentionItem(line.text, line.url, "trending_down", Role.WARNING)


def _text(one: Standout) -> str:
    by = By(one.by)
    return _("%(name)s: %(share)s of messages have failed since %(time)s, usually %(usual)s") % {
        "name": words.names_of(by, [one.value], Subject.MESSAGES)(one.value),
        "share": words.percent(one.share),
        "time": short_time(one.since_),
        "usual": words.percent(one.usual),
    }


def _url(one: Standout) -> str:
    """The figures of it by hour, split by reason."""
    today = timezone.localdate()
    query: dict[str, Any] = {
        "by": By.HOUR,
        "split": By.REASON,
        "first": min(timezone.localtime(one.since_).date(), today) - timedelta(days=1),
        "last": today,
        PARAMETERS[By(one.by)]: one.value,
    }
    return f"{reverse('admin:figures')}?{urlencode(query)}"
