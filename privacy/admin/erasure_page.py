"""The page of an erasure: how far it is, and at the end the proof."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import TemplateView, View

from core.admin.buttons import Crumb
from core.admin.pages import Page, current_user, fragment
from core.punctuation import listed
from core.stored_texts import show

from .. import erase
from ..models import Erasure
from ..presentation.proof import percent_of, proof_of
from ..states import OPEN, ErasureState
from .pages import TITLE

PERMISSION: Final = "privacy.erase_number"
POLL_EVERY: Final = 3
"""Seconds."""


class ErasurePage(Page, TemplateView):
    title = gettext_lazy("Erasure of a number")
    permission_required = PERMISSION
    template_name = "privacy/erasure.html"
    http_method_names = ["get"]

    def get_trail(self) -> list[Crumb]:
        return [Crumb(TITLE, reverse("admin:privacy")), Crumb(self.get_title())]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        erasure = erasure_or_404(kwargs["public_id"])
        return super().get_context_data(**live_context(erasure), **kwargs)


def erasure_or_404(public_id: str) -> Erasure:
    found = Erasure.objects.select_related("by").filter(public_id=public_id).first()
    if found is None:
        raise Http404
    return found


def live_context(erasure: Erasure) -> dict[str, Any]:
    is_open = erasure.state in OPEN
    lines = proof_of(erasure)
    return {
        "erasure": erasure,
        "reason": show(erasure.reason),
        "is_open": is_open,
        "is_done": erasure.state == ErasureState.DONE,
        "percent": percent_of(erasure),
        "lines": [line for line in lines if line.erased or line.left or line.kept],
        "empty": listed(one.title for one in lines if not (one.erased or one.left or one.kept)),
        "kept": sum(line.kept for line in lines),
        "tables": len(lines),
        "poll_every": POLL_EVERY if is_open else None,
    }


@fragment(PERMISSION)
def live(request: HttpRequest, public_id: str) -> HttpResponse:
    return render(request, "privacy/erasure_live.html", live_context(erasure_or_404(public_id)))


class StopErasure(Page, View):
    permission_required = PERMISSION
    http_method_names = ["post"]

    def post(self, request: HttpRequest, public_id: str) -> HttpResponse:
        erasure = erasure_or_404(public_id)
        if erase.stop(erasure, current_user(request)):
            messages.success(request, _("Stopped. What was erased before stays erased."))
        else:
            messages.warning(request, _("No change: the erasure had already ended."))
        return HttpResponseRedirect(reverse("admin:privacy_erasure", args=[public_id]))
