"""The banner sources of the queue and the sandbox, and the fragment that updates banners."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from core.admin import banners
from core.admin.banners import Banner
from core.admin.buttons import Button
from core.admin.labels import Role
from core.admin.pages import fragment
from core.punctuation import join_sentences
from core.times import short_time
from messaging.presentation.backlog import UNUSUAL, backlog
from providers import clock
from providers.engine.heartbeats import resumed_at, unserved_since
from providers.models import Heartbeat
from providers.presentation import hold_view
from rentals.presentation.backlog import waiting_orders
from sandbox.remote import Remote, RemoteError

SILENCE_LIMIT: Final = timedelta(seconds=150)
RECOVERY_SHOWN_FOR: Final = timedelta(minutes=5)
SANDBOX_TIMEOUT: Final = 0.5
SANDBOX_CACHE_SECONDS: Final = 10
NEVER: Final = datetime.fromtimestamp(0, UTC)


@fragment()
def banner_zone(request: HttpRequest) -> HttpResponse:
    """204 if nothing has changed, so that a screen reader does not repeat the banners."""
    context = banners.zone_context(request)
    if request.GET.get("mark") == context["mark"]:
        return HttpResponse(status=204)
    return render(request, "portal/banner_zone.html", context)


@dataclass(frozen=True, slots=True)
class TotalBacklog:
    """Messages and orders that are due but not yet sent."""

    messages: int
    orders: int
    since: datetime | None
    """When the oldest became due."""

    @property
    def is_unusual(self) -> bool:
        return self.since is not None and clock.now() - self.since > UNUSUAL

    @property
    def text(self) -> str:
        """ "14 messages and 2 orders"; empty if nothing is due."""
        messages = ngettext("%(count)d message", "%(count)d messages", self.messages)
        orders = ngettext("%(count)d order", "%(count)d orders", self.orders)
        both = {"messages": messages % {"count": self.messages}}
        both["orders"] = orders % {"count": self.orders}
        if self.messages and self.orders:
            return _("%(messages)s and %(orders)s") % both
        return both["messages"] if self.messages else both["orders"] if self.orders else ""


def total_backlog() -> TotalBacklog:
    messages = backlog()
    orders, since = waiting_orders()
    oldest = min(filter(None, (messages.since, since)), default=None)
    return TotalBacklog(messages.count, orders, oldest)


def queue_banner(request: HttpRequest) -> list[Banner]:
    """Warns of a silent engine or queue, or of messages or orders that wait unusually long.

    After the end of such a state, announces the recovery for some minutes.
    """
    now = clock.now()
    waiting = total_backlog()
    since = min(filter(None, (unserved_since(), _queue_silent_since(now))), default=None)
    if since is None and not waiting.is_unusual:
        return _recovery_banner(now)
    cache.set("queue-was-silent", now.timestamp(), 3600)
    text = _overdue_text(waiting) if since is None else _silence_text(since, now, waiting)
    return [Banner(text, icon="warning", button=_details(request))]


def _queue_silent_since(now: datetime) -> datetime | None:
    beat = Heartbeat.objects.filter(name="queue").values_list("beat_at", flat=True).first()
    if beat is None:
        return NEVER
    return beat if now - beat > SILENCE_LIMIT else None


def _silence_text(since: datetime, now: datetime, waiting: TotalBacklog) -> str:
    if since <= NEVER:
        first = _("The queue has not started yet.")
    else:
        minutes = int((now - since).total_seconds() // 60)
        first = _("The queue has not run since %(time)s (%(minutes)d min).") % {
            "time": short_time(since),
            "minutes": minutes,
        }
    if waiting.text:
        second = ngettext(
            "%(what)s is waiting; nothing is lost. New ones will wait too.",
            "%(what)s are waiting; nothing is lost. New ones will wait too.",
            waiting.messages + waiting.orders,
        ) % {"what": waiting.text}
    else:
        second = _("New messages and orders will wait; nothing is lost.")
    return join_sentences(first, second)


def _overdue_text(waiting: TotalBacklog) -> str:
    text = ngettext(
        "The queue is slow: %(what)s has been waiting since %(time)s. Nothing is lost.",
        "The queue is slow: %(what)s are waiting, the oldest since %(time)s. Nothing is lost.",
        waiting.messages + waiting.orders,
    )
    since = short_time(waiting.since) if waiting.since else ""
    return text % {"what": waiting.text, "time": since}


def _details(request: HttpRequest) -> Button | None:
    if not request.user.is_superuser:
        return None
    return Button(pgettext("button", "Details"), reverse("admin:django_q_ormq_changelist"))


def _recovery_banner(now: datetime) -> list[Banner]:
    """Names the end of the latest silence, which no page may have seen."""
    resumed = resumed_at() or NEVER
    if seen_silent := cache.get("queue-was-silent"):
        cache.delete("queue-was-silent")
        # What was silent may have been the default queue, whose return nothing records.
        back = resumed if resumed.timestamp() >= seen_silent else now
        cache.set("queue-back-since", back.timestamp(), RECOVERY_SHOWN_FOR.total_seconds())
    back_since = cache.get("queue-back-since")
    if back_since is None:
        return []
    since = max(datetime.fromtimestamp(back_since, UTC), resumed)
    if now - since > RECOVERY_SHOWN_FOR:
        return []
    text = _("The queue has been running again since %(time)s.") % {"time": short_time(since)}
    return [Banner(text, Role.SUCCESS, "check_circle")]


def sandbox_banner(request: HttpRequest) -> list[Banner]:
    """Warns of active sandbox faults, which make the portal look broken."""
    if not settings.SANDBOX_URL or not request.user.has_perm("providers.view_account"):
        return []
    active = cache.get("sandbox-faults")
    if active is None:
        active = _active_faults()
        cache.set("sandbox-faults", active, SANDBOX_CACHE_SECONDS)
    if not active:
        return []
    text = ngettext(
        "Sandbox: a simulated fault is on. Calls to the sandbox fail on purpose.",
        "Sandbox: %(count)d simulated faults are on. Calls to the sandbox fail on purpose.",
        active,
    ) % {"count": active}
    return [
        Banner(
            text,
            icon="science",
            button=Button(pgettext("button", "Sandbox"), reverse("admin:practice")),
        )
    ]


def _active_faults() -> int:
    try:
        with Remote(settings.SANDBOX_URL, timeout=SANDBOX_TIMEOUT) as remote:
            active = remote.state().get("active")
    except RemoteError:
        return 0
    return len(active) if isinstance(active, list) else 0


def register() -> None:
    banners.register(hold_view.banner)
    banners.register(queue_banner)
    banners.register(sandbox_banner)
