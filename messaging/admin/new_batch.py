"""The page "New batch"."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from core.admin.pages import current_user, fragment, new_form_token
from core.text_cleaning import clean_text
from core.times import full_time
from providers.admin.account_picker import AccountFormPage
from providers.models import Account

from .. import segments
from ..batches import create
from ..batches.importing.lookalikes import literal, lone_brace, protect, unprotect
from ..batches.importing.placeholders import PLACEHOLDER
from ..models import Batch
from ..template_values import record_use
from ..text_rules import LONGEST_TYPED
from .batch_forms import NewBatchForm, can_send_texts
from .batch_page import BATCH_WAITS
from .send_page import chosen_account, sending_accounts
from .send_preview import costly_in, preview_of

if TYPE_CHECKING:
    NewBatchView = FormView[NewBatchForm]
else:
    NewBatchView = FormView


def batch_accounts() -> list[Account]:
    return [account for account in sending_accounts() if can_send_texts(account)]


def size_context(account: Account | None, text: str) -> dict[str, Any]:
    """The size of one message, without what the placeholders will add."""
    text = protect(text)
    fixed = literal(PLACEHOLDER.sub("", text))
    preview = preview_of(account, "", fixed)
    # Blanks keep the position of the costly character as it is in the typed text.
    blanked = PLACEHOLDER.sub(lambda place: " " * len(place[0]), segments.normalise_line_ends(text))
    typed = clean_text(unprotect(blanked))
    costly = costly_in(fixed, preview.count, typed)
    return {
        "preview": replace(preview, costly=costly),
        "varies": bool(PLACEHOLDER.search(text)),
        "lone_brace": lone_brace(unprotect(text)),
    }


@fragment("messaging.bulk_message")
def size(request: HttpRequest) -> HttpResponse:
    """Live fragment: the size of the text while it is typed."""
    account = chosen_account(request, batch_accounts())
    if account is None or request.method != "POST":
        raise Http404
    context = size_context(account, request.POST.get("text", "")[:LONGEST_TYPED])
    return render(request, "messaging/batches/size.html", context)


class NewBatchPage(AccountFormPage[Batch], NewBatchView):
    title = _("New batch")
    permission_required = "messaging.bulk_message"
    pause_consequence = BATCH_WAITS
    template_name = "messaging/batches/new.html"
    form_class = NewBatchForm
    no_account_template = "messaging/no_account.html"
    http_method_names = ["get", "post"]

    def find_accounts(self) -> list[Account]:
        return batch_accounts()

    def choose_account(self, accounts: list[Account]) -> Account | None:
        return chosen_account(self.request, accounts)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "reader": current_user(self.request)}

    def kept_values(self) -> dict[str, Any]:
        """Also what the form "Send SMS" hands over when its text is to go to many."""
        kept = super().kept_values()
        if "recipient" in kept:
            kept |= {"pasted": kept["recipient"], "form_token": new_form_token()}
        return kept

    def get_initial(self) -> dict[str, Any]:
        return {"form_token": new_form_token(), **self._values_to_repeat()}

    def _values_to_repeat(self) -> dict[str, str]:
        """Values of the batch in `like`, whose file is to be uploaded again."""
        earlier = self.request.GET.get("like", "")
        if not earlier or not self.request.user.has_perm("messaging.view_batch"):
            return {}
        batch = Batch.objects.filter(public_id=earlier[:24]).first()
        if batch is None:
            return {}
        return {
            "text": batch.text,
            "name": batch.name,
            "sms_kind": batch.sms_kind,
            "sender_id": batch.sender_id,
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        form: NewBatchForm = context["form"]
        text = str((form.data if form.is_bound else form.initial).get("text", ""))
        return {**context, **size_context(form.sending_account, text)}

    def form_valid(self, form: NewBatchForm) -> HttpResponse:
        token = form.cleaned_data["form_token"]
        batch, created = create.create_batch(
            form.draft, by=current_user(self.request), form_token=token
        )
        if form.cleaned_data["template"]:
            record_use(form.cleaned_data["template"], current_user(self.request))
        if not created:
            messages.warning(
                self.request,
                _(
                    "This form was already submitted at %(time)s. Showing that batch;"
                    " no duplicate was created."
                )
                % {"time": full_time(batch.created_at)},
            )
        return self.back_to(batch)
