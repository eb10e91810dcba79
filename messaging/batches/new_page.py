"""The page "New batch"."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from core.admin.pages import ObjectPage, current_user, fragment, new_form_token
from core.times import full_time
from providers.enquiries import latest_reading
from providers.models import Account

from .. import segments
from ..forms import LONGEST_TYPED
from ..models import Batch
from ..preview import preview_of
from ..send_page import chosen_account, sending_accounts
from . import making
from .forms import NewBatchForm, can_send_texts
from .texts import PLACE

if TYPE_CHECKING:
    NewBatchView = FormView[NewBatchForm]
else:
    NewBatchView = FormView


def size_of(account: Account, text: str) -> dict[str, Any]:
    """What one message of this text takes, as far as that can be told before the recipients
    are there."""
    fixed = PLACE.sub("", text)
    preview = preview_of(account, "", fixed)
    # The character that costs is named by its place in what was typed.
    typed = PLACE.sub(lambda place: " " * len(place[0]), segments.fold(text))
    counted = replace(preview.count, costly=segments.first_costly(typed))
    return {"preview": replace(preview, count=counted), "varies": fixed != text}


@fragment("messaging.bulk_message")
def size(request: HttpRequest) -> HttpResponse:
    """The size of the text while it is typed."""
    account = chosen_account(request, [one for one in sending_accounts() if can_send_texts(one)])
    if account is None or request.method != "POST":
        raise Http404
    context = size_of(account, request.POST.get("text", "")[:LONGEST_TYPED])
    return render(request, "messaging/batches/size.html", context)


class NewBatchPage(ObjectPage[Batch], NewBatchView):
    title = _("New batch")
    permission_required = "messaging.bulk_message"
    template_name = "messaging/batches/new.html"
    form_class = NewBatchForm
    http_method_names = ["get", "post"]

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.accounts = [one for one in sending_accounts() if can_send_texts(one)]
        self.account = chosen_account(request, self.accounts)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if self.account is None and self.has_permission():
            may_add = request.user.has_perm("providers.add_account")
            context = {**super().get_context_data(form=None), "may_add": may_add}
            return render(request, "messaging/no_account.html", context)
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "change_account" in request.POST:
            return self.render_to_response(self.get_context_data(form=self._unsent_form()))
        return super().post(request, *args, **kwargs)

    def get_form_kwargs(self) -> dict[str, Any]:
        return {
            **super().get_form_kwargs(),
            "account": self.account,
            "accounts": self.accounts,
        }

    def get_initial(self) -> dict[str, Any]:
        return {"form_token": new_form_token(), **self._like()}

    def _like(self) -> dict[str, str]:
        """What was typed for a batch whose file is to be uploaded again."""
        earlier = self.request.GET.get("like", "")
        if not earlier or not self.request.user.has_perm("messaging.view_batch"):
            return {}
        batch = Batch.objects.filter(public_id=earlier[:24]).first()
        if batch is None:
            return {}
        return {"text": batch.text, "sms_kind": batch.sms_kind, "sender_id": batch.sender_id}

    def _unsent_form(self) -> NewBatchForm:
        typed = {name: value for name, value in self.request.POST.items() if name != "account"}
        kwargs = {**self.get_form_kwargs(), "data": None, "files": None}
        kwargs["initial"] = {**self.get_initial(), **typed}
        return NewBatchForm(**kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        form: NewBatchForm = context["form"]
        account = form.sending_account
        text = str((form.data if form.is_bound else form.initial).get("text", ""))
        size = size_of(account, text)
        return {**context, **size, "account": account, "reading": latest_reading(account)}

    def form_valid(self, form: NewBatchForm) -> HttpResponse:
        token = form.cleaned_data["form_token"]
        batch, made = making.make(form.draft, by=current_user(self.request), form_token=token)
        if not made:
            messages.warning(
                self.request,
                _(
                    "This form was already sent at %(time)s. This is that batch; nothing was"
                    " made twice."
                )
                % {"time": full_time(batch.created_at)},
            )
        return self.back_to(batch)
