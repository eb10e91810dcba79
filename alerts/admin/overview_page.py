"""The page of alerts: rules, receivers, recent alerts, the ping."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy
from django.views.generic import TemplateView, View

from core.admin.pages import Page, current_user, fragment
from core.times import short_time
from providers import clock

from ..models import Delivery, the_watch
from ..permissions import SET_ALERTS, VIEW_ALERTS
from ..presentation.error_texts import error_text
from ..presentation.rule_lines import rule_areas
from ..presentation.sent_lines import receiver_lines, sent_lines
from ..rule_changes import MUTE_HOURS, mute_all

TITLE: Final = pgettext_lazy("title", "Alerts")
POLL_EVERY: Final = 5
"""Seconds."""
LATELY: Final = timedelta(hours=24)
MOST_LATELY: Final = 8


class AlertsPage(Page, TemplateView):
    title = TITLE
    permission_required = VIEW_ALERTS
    template_name = "alerts/overview.html"
    http_method_names = ["get"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**live_context(), mute_hours=MUTE_HOURS, **kwargs)


def live_context() -> dict[str, Any]:
    now = clock.now()
    watch = the_watch()
    lately = Delivery.objects.filter(created_at__gt=now - LATELY)[:MOST_LATELY]
    return {
        "areas": rule_areas(now),
        "receivers": receiver_lines(),
        "lately": sent_lines(lately),
        "watch": watch,
        "ping_error": error_text(watch.ping_error) if watch.ping_error else "",
        "muted_until": watch.muted_until if watch.muted_until and watch.muted_until > now else None,
        "poll_every": POLL_EVERY,
    }


@fragment(VIEW_ALERTS)
def live(request: HttpRequest) -> HttpResponse:
    return render(request, "alerts/live.html", live_context())


class LogPage(Page, View):
    """The former address of the list of sent alerts."""

    permission_required = VIEW_ALERTS
    http_method_names = ["get"]

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:alerts_delivery_changelist"))


class MuteAll(Page, View):
    permission_required = SET_ALERTS
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        until = mute_all(chosen_hours(request), current_user(request))
        if until is None:
            messages.success(request, _("Alerts are sent again."))
        else:
            text = _("No alerts are sent until %(time)s. Whatever is still wrong then is reported.")
            messages.success(request, text % {"time": short_time(until)})
        return HttpResponseRedirect(reverse("admin:alerts"))


def chosen_hours(request: HttpRequest) -> int:
    """One of the offered numbers of hours; 0 ends a mute, and so does anything else."""
    chosen = request.POST.get("hours", "")
    return int(chosen) if chosen in {str(hours) for hours in MUTE_HOURS} else 0
