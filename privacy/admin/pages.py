"""The page of what is forgotten, and what is begun there: erase, hand out, hold."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.generic import FormView, TemplateView, View

from core.admin.buttons import Crumb
from core.admin.pages import NeedsPermission, Page, current_user
from core.admin.reason_form import TOO_SHORT
from core.admin.reasons import MAX_REASON_LENGTH, says_something, typed_reason
from core.admin.too_long import length_problem
from core.phones.searches import typed_number
from core.stored_texts import show

from .. import erase, hand_out, legal_holds
from ..models import Erasure, LegalHold
from ..permissions import PRIVACY
from .forms import EraseForm, NumberForm

MOST_SHOWN: Final = 50
MENTION_SECONDS: Final = 10.0
"""For which a request looks for texts that mention a number. The command has no limit."""
TITLE: Final = pgettext_lazy("title", "Privacy")


class PrivacyPage(Page, TemplateView):
    title = TITLE
    template_name = "privacy/overview.html"
    http_method_names = ["get"]

    def has_permission(self) -> bool:
        return any(map(self.request.user.has_perm, PRIVACY))

    def handle_no_permission(self) -> Any:
        raise NeedsPermission(PRIVACY[0])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        erasures = Erasure.objects.select_related("by")[:MOST_SHOWN]
        holds = LegalHold.objects.select_related("set_by").filter(lifted_at=None)[:MOST_SHOWN]
        return super().get_context_data(
            erasures=[(one, show(one.reason)) for one in erasures],
            holds=[(one, show(one.reason)) for one in holds],
            **kwargs,
        )


class NumberFormPage(Page, FormView):  # type: ignore[type-arg]
    """A form about one number. A person who typed it in a search need not type it again."""

    form_class: type[NumberForm] = NumberForm
    template_name = "privacy/number_form.html"
    button: Any = ""
    hints: tuple[Any, ...] = ()

    def get_initial(self) -> dict[str, Any]:
        token = self.request.GET.get("number", "")
        return {"number": typed_number(token, current_user(self.request))}

    def get_trail(self) -> list[Crumb]:
        return [Crumb(TITLE, reverse("admin:privacy")), Crumb(self.get_title())]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(button=self.button, hints=self.hints, **kwargs)


class ErasePage(NumberFormPage):
    title = gettext_lazy("Erase a number")
    permission_required = "privacy.erase_number"
    form_class = EraseForm
    button = gettext_lazy("Erase this number")
    hints = (
        gettext_lazy(
            "The number, its texts, codes and notes are erased from every table, and from files"
            " that have it. Counts, states, times, costs and the ledger stay."
        ),
        gettext_lazy(
            "A backup from before still has the number. If it is restored, the portal erases the"
            " number again."
        ),
    )

    def form_valid(self, form: EraseForm) -> HttpResponse:
        given = form.cleaned_data
        try:
            erasure = erase.ask(
                given["number"],
                given["reason"],
                current_user(self.request),
                takes_off_list=given["takes_off_list"],
            )
        except erase.CannotErase as cannot:
            form.add_error("number", str(cannot))
            return self.form_invalid(form)
        return HttpResponseRedirect(reverse("admin:privacy_erasure", args=[erasure.public_id]))


class HandOutPage(NumberFormPage):
    title = gettext_lazy("Hand out a number's data")
    permission_required = "privacy.hand_out_number"
    button = gettext_lazy("Download the data")
    hints = (
        gettext_lazy(
            "The file is for the person who has this number. Check first that it is that person"
            " who asks."
        ),
        gettext_lazy("Codes and secrets are not in the file."),
    )

    def form_valid(self, form: NumberForm) -> HttpResponse:
        given = form.cleaned_data
        content = hand_out.hand_out(
            given["number"],
            given["reason"],
            current_user(self.request),
            seconds=MENTION_SECONDS,
        )
        answer = HttpResponse(content, content_type="application/zip")
        name = f"data-{timezone.localtime():%Y-%m-%d-%H%M}.zip"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
        answer["Cache-Control"] = "no-store"
        return answer


class SetHoldPage(NumberFormPage):
    title = gettext_lazy("Set a legal hold")
    permission_required = "privacy.set_legal_hold"
    button = gettext_lazy("Set the hold")
    hints = (
        gettext_lazy(
            "Until the hold is lifted, nothing about this number is erased, and nothing about it"
            " is deleted because of its age."
        ),
    )

    def form_valid(self, form: NumberForm) -> HttpResponse:
        given = form.cleaned_data
        person = current_user(self.request)
        if legal_holds.set_hold(given["number"], given["reason"], person) is None:
            form.add_error("number", _("A legal hold is already set on this number."))
            return self.form_invalid(form)
        messages.success(self.request, _("The legal hold is set."))
        return HttpResponseRedirect(reverse("admin:privacy"))


class LiftHold(Page, View):
    permission_required = "privacy.set_legal_hold"
    http_method_names = ["post"]

    def post(self, request: HttpRequest, public_id: str) -> HttpResponse:
        hold = LegalHold.objects.filter(public_id=public_id).first()
        if hold is None:
            raise Http404
        typed = request.POST.get("reason", "").strip()
        because = typed_reason(typed)
        if problem := length_problem(typed, MAX_REASON_LENGTH):
            messages.error(request, problem)
        elif not says_something(because):
            messages.error(request, str(TOO_SHORT))
        elif legal_holds.lift(hold, because, current_user(request)):
            messages.success(request, _("The legal hold was lifted."))
        else:
            messages.warning(request, _("No change: the legal hold had already been lifted."))
        return HttpResponseRedirect(reverse("admin:privacy"))
