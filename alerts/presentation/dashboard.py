"""Alerts that did not arrive, among what needs attention."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from django.db.models import OuterRef, Subquery
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.admin.attention import AttentionItem, counted_item
from core.admin.labels import Role
from providers import clock

from ..models import Delivery, Receiver, Watch
from ..permissions import VIEW_ALERTS
from ..states import NOT_DELIVERED, UNFINISHED

FAILED_WITHIN: Final = timedelta(days=7)
SILENT_AFTER: Final = timedelta(minutes=10)


def unreached() -> int:
    """How many receivers did not get what was sent to them last."""
    ended = Delivery.objects.filter(
        receiver=OuterRef("pk"), created_at__gt=clock.now() - FAILED_WITHIN
    ).exclude(state__in=UNFINISHED)
    newest = ended.order_by("-created_at", "-pk").values("state")[:1]
    states = Receiver.objects.filter(is_on=True).order_by().annotate(last=Subquery(newest))
    return states.filter(last__in=NOT_DELIVERED).count()


def attention_items(request: HttpRequest) -> Iterator[AttentionItem]:
    if not request.user.has_perm(VIEW_ALERTS):
        return
    url = reverse("admin:alerts")
    count = unreached()
    text = ngettext(
        "%(count)d receiver did not get the last alert",
        "%(count)d receivers did not get the last alert",
        count,
    )
    yield from counted_item(count, text, url, "notifications")
    watch = Watch.objects.filter(pk=Watch.SINGLETON).exclude(ping_shown="").first()
    if watch is None or not watch.ping_error or watch.pinged_at is None:
        return
    worked = watch.ping_worked_at
    if worked is None or watch.pinged_at - worked > SILENT_AFTER:
        yield AttentionItem(_("The ping does not arrive"), url, "notifications", Role.WARNING)
