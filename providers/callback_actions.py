"""What staff can do with one callback: read it again, see it whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import View

from core.admin.base import PortalAdmin
from core.admin.labels import label_for
from core.admin.pages import Page, person, refuse_fragment
from core.admin.reasons import REVEAL_REASONS, reason_from

from . import callback_texts
from .inbox import digesting
from .models import Callback


def log(request: HttpRequest, callbacks: Iterable[Callback], text: str) -> None:
    LogEntry.objects.log_actions(
        user_id=person(request).pk,
        queryset=callbacks,
        action_flag=CHANGE,
        change_message=text,
    )


def log_again(request: HttpRequest, callbacks: Iterable[Callback]) -> None:
    log(request, callbacks, "Processed again")


class CallbackAction(Page, View):
    http_method_names = ["post"]
    model_admin: PortalAdmin

    def find(self, object_id: str) -> Callback:
        found: Callback = self.model_admin.get_or_404(self.request, object_id)
        return found


class ProcessAgain(CallbackAction):
    """Reads it again at once and says what came of it. No provider is called by that."""

    permission_required = "providers.process_callback"

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        callback = self.find(object_id)
        digesting.process_again(Callback.objects.filter(pk=callback.pk))
        digesting.digest([callback.pk])
        callback.refresh_from_db()
        log_again(request, [callback])
        word = label_for("callback", callback.state).word
        messages.success(request, _("Read again. Its state is now: %(state)s.") % {"state": word})
        return HttpResponseRedirect(self.model_admin.object_url(callback))


class RevealCallback(CallbackAction):
    """Answers with the raw request as it came, and writes down who saw it and why."""

    permission_required = "providers.reveal_callback"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        refused = refuse_fragment(request, (self.permission_required,))
        return refused or super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        callback = self.find(object_id)
        because = reason_from(request, REVEAL_REASONS)
        context: dict[str, Any] = {"callback": callback}
        if because:
            log(request, [callback], f"Revealed: {because}")
            context["query"] = callback_texts.raw_query(callback, whole=True)
            context["body"] = callback_texts.raw_body(callback, whole=True)
        else:
            context["note"] = gettext("Choose or type a reason first.")
        answer = render(request, "providers/callback_raw.html", context)
        answer["Cache-Control"] = "no-store"
        return answer
