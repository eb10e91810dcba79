"""The warnings at the top of every page, and the fragment that keeps them current."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.admin import banners
from core.admin.banners import Banner
from core.admin.buttons import Button
from core.admin.labels import Role
from core.admin.pages import fragment
from core.times import short_time
from messaging.presentation.backlog import UNUSUAL, backlog
from providers.engine.heartbeats import unserved_since
from providers.models import Heartbeat
from rentals.presentation.backlog import waiting_orders
from sandbox.remote import Remote, RemoteError

SILENT_FOR: Final = timedelta(seconds=150)
BACK_FOR: Final = timedelta(minutes=5)
SANDBOX_TIMEOUT: Final = 0.5
SANDBOX_EVERY: Final = 10
NEVER: Final = datetime.fromtimestamp(0, UTC)


@fragment()
def banner_zone(request: HttpRequest) -> HttpResponse:
    """204 while nothing has changed, so that nothing is read out a second time."""
    drawn = banners.zone(request)
    if request.GET.get("mark") == drawn["mark"]:
        return HttpResponse(status=204)
    return render(request, "portal/banner_zone.html", drawn)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What might go out now and does not."""

    messages: int
    orders: int
    since: datetime | None
    """When the oldest of it might have gone."""

    @property
    def is_unusual(self) -> bool:
        return self.since is not None and timezone.now() - self.since > UNUSUAL

    @property
    def words(self) -> str:
        """ "14 messages and 2 orders"; empty where nothing waits."""
        messages = ngettext("%(count)d message", "%(count)d messages", self.messages)
        orders = ngettext("%(count)d order", "%(count)d orders", self.orders)
        both = {"messages": messages % {"count": self.messages}}
        both["orders"] = orders % {"count": self.orders}
        if self.messages and self.orders:
            return _("%(messages)s and %(orders)s") % both
        return both["messages"] if self.messages else both["orders"] if self.orders else ""


def all_that_waits() -> Waiting:
    messages = backlog()
    orders, since = waiting_orders()
    oldest = min(filter(None, (messages.since, since)), default=None)
    return Waiting(messages.count, orders, oldest)


def queue_banner(request: HttpRequest) -> list[Banner]:
    """Says that the engine or the queue shows no sign of life, that messages or orders wait
    longer than is usual, or that all is well again since a moment."""
    now = timezone.now()
    waiting = all_that_waits()
    since = min(filter(None, (unserved_since(), _queue_silent_since(now))), default=None)
    if since is None and not waiting.is_unusual:
        return _back_banner(now)
    cache.set("queue-was-silent", True, 3600)
    text = _overdue(waiting) if since is None else _silence(since, now, waiting)
    return [Banner(text, icon="warning", button=_details(request))]


def _queue_silent_since(now: datetime) -> datetime | None:
    beat = Heartbeat.objects.filter(name="queue").values_list("beat_at", flat=True).first()
    if beat is None:
        return NEVER
    return beat if now - beat > SILENT_FOR else None


def _silence(since: datetime, now: datetime, waiting: Waiting) -> str:
    if since <= NEVER:
        first = _("The queue has not run yet.")
    else:
        minutes = int((now - since).total_seconds() // 60)
        first = _("The queue has not run since %(time)s (%(minutes)d min).") % {
            "time": short_time(since),
            "minutes": minutes,
        }
    if waiting.words:
        second = ngettext(
            "%(what)s waits; none is lost. New ones will wait too.",
            "%(what)s wait; none is lost. New ones will wait too.",
            waiting.messages + waiting.orders,
        ) % {"what": waiting.words}
    else:
        second = _("New messages and orders will wait; none is lost.")
    # Translators: two sentences, one after the other.
    return _("%(first)s %(second)s") % {"first": first, "second": second}


def _overdue(waiting: Waiting) -> str:
    text = ngettext(
        "The queue is slow: %(what)s has waited since %(time)s. None is lost.",
        "The queue is slow: %(what)s wait, the oldest since %(time)s. None is lost.",
        waiting.messages + waiting.orders,
    )
    since = short_time(waiting.since) if waiting.since else ""
    return text % {"what": waiting.words, "time": since}


def _details(request: HttpRequest) -> Button | None:
    if not request.user.is_superuser:
        return None
    return Button(_("Details"), reverse("admin:django_q_ormq_changelist"))


def _back_banner(now: datetime) -> list[Banner]:
    if cache.get("queue-was-silent"):
        cache.delete("queue-was-silent")
        cache.set("queue-back-since", now, BACK_FOR.total_seconds())
    since = cache.get("queue-back-since")
    if since is None:
        return []
    text = _("The queue runs again since %(time)s.") % {"time": short_time(since)}
    return [Banner(text, Role.SUCCESS, "check_circle")]


def practice_banner(request: HttpRequest) -> list[Banner]:
    """A fault that is switched on in the sandbox explains what else would look broken."""
    if not settings.SANDBOX_URL or not request.user.has_perm("providers.view_account"):
        return []
    active = cache.get("sandbox-faults")
    if active is None:
        active = _active_faults()
        cache.set("sandbox-faults", active, SANDBOX_EVERY)
    if not active:
        return []
    text = ngettext(
        "Practice: a fault is switched on. Calls to the practice providers go wrong on purpose.",
        "Practice: %(count)d faults are switched on. Calls to the practice providers go wrong"
        " on purpose.",
        active,
    ) % {"count": active}
    return [Banner(text, icon="science", button=Button(_("Practice"), reverse("admin:practice")))]


def _active_faults() -> int:
    try:
        with Remote(settings.SANDBOX_URL, timeout=SANDBOX_TIMEOUT) as remote:
            active = remote.state().get("active")
    except RemoteError:
        return 0
    return len(active) if isinstance(active, list) else 0


def register() -> None:
    banners.register(queue_banner)
    banners.register(practice_banner)
