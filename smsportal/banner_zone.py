"""The warnings at the top of every page, and the fragment that keeps them current."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.apps import apps
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import banners
from core.banners import Banner
from core.buttons import Button
from core.labels import Role
from core.pages import fragment
from core.times import short_time
from providers.models import Heartbeat
from providers.sandbox.remote import Remote, RemoteError

SILENT_FOR: Final = timedelta(seconds=150)
BACK_FOR: Final = timedelta(minutes=5)
SANDBOX_TIMEOUT: Final = 0.5
SANDBOX_EVERY: Final = 10
PARTS: Final = ("engine", "queue")


@fragment()
def banner_zone(request: HttpRequest) -> HttpResponse:
    """204 while nothing has changed, so that nothing is read out a second time."""
    drawn = banners.zone(request)
    if request.GET.get("mark") == drawn["mark"]:
        return HttpResponse(status=204)
    return render(request, "portal/banner_zone.html", drawn)


def queue_banner(request: HttpRequest) -> list[Banner]:
    """Says that the queue or the engine shows no sign of life, or is back since a moment."""
    beats = dict(Heartbeat.objects.filter(name__in=PARTS).values_list("name", "beat_at"))
    now = timezone.now()
    silent = [name for name in PARTS if name not in beats or now - beats[name] > SILENT_FOR]
    if not silent:
        return _back_banner(now)
    cache.set("queue-was-silent", True, 3600)
    since = min((beats[name] for name in silent if name in beats), default=None)
    return [Banner(_silence(since, now), icon="warning", button=_details(request))]


def _silence(since: datetime | None, now: datetime) -> str:
    waiting = _waiting_messages()
    if since is None:
        first = _("The queue has not run yet.")
    else:
        minutes = int((now - since).total_seconds() // 60)
        first = _("The queue has not run since %(time)s (%(minutes)d min).") % {
            "time": short_time(since),
            "minutes": minutes,
        }
    if waiting:
        second = ngettext(
            "%(count)d message waits; none is lost. New ones will wait too.",
            "%(count)d messages wait; none is lost. New ones will wait too.",
            waiting,
        ) % {"count": waiting}
    else:
        second = _("New messages will wait; none is lost.")
    # Translators: two sentences, one after the other.
    return _("%(first)s %(second)s") % {"first": first, "second": second}


def _waiting_messages() -> int:
    return apps.get_model("messaging", "Message").objects.filter(state="queued").count()


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
