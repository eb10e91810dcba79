"""The page "Send SMS", and the preview that it fetches while staff type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from core.admin.pages import current_user, fragment, new_form_token
from core.phones.parse import grouped
from core.phones.searches import typed_number
from core.times import full_time
from core.visibility import may_see_whole
from providers.admin.account_picker import AccountFormPage, pause_context, pick_account
from providers.daily_limits import LimitReached
from providers.engine.leases import is_engine_alive
from providers.limit_texts import concerns_recipient, limit_text
from providers.models import Account
from providers.presentation.cost_texts import cost_line

from .. import queue_message, segments
from ..models import Message
from ..template_values import fill_known, offered_templates, record_use
from ..text_rules import LONGEST_TYPED
from .send_form import SendForm, kind_of, posted_values, unavailable_reason
from .send_preview import preview_of

if TYPE_CHECKING:
    SendFormView = FormView[SendForm]
else:
    SendFormView = FormView

ACCOUNT_KEY = "send_account"
SENDER_KEY = "send_sender"


def sending_accounts() -> list[Account]:
    """List all accounts; those that can send come first."""
    found = list(Account.objects.prefetch_related("credentials"))
    return sorted(found, key=lambda account: (kind_of(account) is None, account.name.lower()))


def chosen_account(request: HttpRequest, accounts: list[Account]) -> Account | None:
    """Return the requested account, else the last one used, else the first that can send now,
    else the first. An account that sends codes only is never proposed because it was used."""
    able = [account for account in accounts if kind_of(account) is not None]
    used = request.session.get(ACCOUNT_KEY)
    for_text = {account.public_id for account in able if kind_of(account) == Message.Kind.TEXT}
    remembered = used if used in for_text else None
    return pick_account(request, able, remembered, unavailable_reason)


def filled_text(text: str, form: SendForm) -> str:
    """The text with the values that are known so far, for the preview."""
    return fill_known(text[:LONGEST_TYPED], form.values) if form.variables else text


def recipient_of(request: HttpRequest) -> str:
    """The number of the message in the address, if this person may see it. The address itself
    never contains a number."""
    typed = typed_number(request.GET.get("number", ""), current_user(request))
    if typed:
        return grouped(typed)
    message = _named_message(request, "to") or _named_message(request, "like")
    return grouped(message.recipient) if message else ""


def text_of(request: HttpRequest) -> str:
    """The text of the message in the address that is to be sent in another way."""
    message = _named_message(request, "like")
    return message.text if message and message.kind == Message.Kind.TEXT else ""


def _named_message(request: HttpRequest, name: str) -> Message | None:
    """The message that the address names, if this person sees it whole."""
    public_id = request.GET.get(name, "").replace("\x00", "")[:64]
    message = Message.objects.filter(public_id=public_id).first() if public_id else None
    return message if message and may_see_whole(message, request.user) else None


class SendPage(AccountFormPage[Message], SendFormView):
    title = _("Send SMS")
    permission_required = "messaging.send_message"
    template_name = "messaging/send.html"
    form_class = SendForm
    no_account_template = "messaging/no_account.html"
    http_method_names = ["get", "post"]

    def find_accounts(self) -> list[Account]:
        return sending_accounts()

    def choose_account(self, accounts: list[Account]) -> Account | None:
        return chosen_account(self.request, accounts)

    def get_form_kwargs(self) -> dict[str, Any]:
        person = current_user(self.request)
        return {
            **super().get_form_kwargs(),
            "reader": person,
            "templates": offered_templates(person),
            "values": posted_values(self.request.POST),
        }

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "use_template" in request.POST and self.account is not None:
            return self.render_to_response(self.get_context_data(form=self.unsent_form()))
        return super().post(request, *args, **kwargs)

    def kept_values(self) -> dict[str, Any]:
        kept = super().kept_values()
        if "use_template" in kept:
            kept["text"] = self._text_of_template(kept.get("text", ""))
        return kept

    def _text_of_template(self, typed: str) -> str:
        """The text of the chosen template. Without one, what was typed stays."""
        in_use = offered_templates(current_user(self.request))
        texts = {one.public_id: one.text for one in in_use}
        chosen = texts.get(self.request.POST.get("template", ""))
        if chosen is not None:
            return chosen
        # The places of a template that was taken away are no text for anybody.
        same = segments.normalise_line_ends(typed) in texts.values()
        return "" if same else typed

    def get_initial(self) -> dict[str, Any]:
        sender = self.request.session.get(SENDER_KEY, {})
        initial = {"form_token": new_form_token(), "recipient": recipient_of(self.request)}
        if text := text_of(self.request):
            initial["text"] = text
        if self.account is not None and self.account.public_id in sender:
            initial["sender_id"] = sender[self.account.public_id]
        return initial

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        form: SendForm = context["form"]
        values = form.data if form.is_bound else form.initial
        filled = filled_text(str(values.get("text", "")), form)
        shown = preview_of(
            form.sending_account,
            str(values.get("recipient", "")),
            filled,
            current_user(self.request),
        )
        return {
            **context,
            "kind": form.kind,
            "preview": shown,
            "cost_line": cost_line(
                form.sending_account, max(shown.count.segments, 1), self.request.user
            ),
            "asleep": not is_engine_alive(),
            **pause_context(self.account, self.accounts, unavailable_reason),
            "repeats": form.repeats if form.is_bound and form.is_valid() else None,
            "filled": filled if form.variables else "",
            "may_bulk": self.request.user.has_perm("messaging.bulk_message"),
        }

    def form_valid(self, form: SendForm) -> HttpResponse:
        by, token = current_user(self.request), form.cleaned_data["form_token"]
        if form.needs_confirmation and not queue_message.was_sent(token, by):
            return self.render_to_response(self.get_context_data(form=form))
        try:
            message, created = queue_message.queue(form.draft, by=by, form_token=token)
        except LimitReached as limit:
            form.add_error("recipient" if concerns_recipient(limit) else None, limit_text(limit))
            return self.form_invalid(form)
        self._remember(form)
        if created and form.cleaned_data.get("template"):
            record_use(form.cleaned_data["template"], by)
        if not created and not queue_message.matches_draft(message, form.draft):
            return self.render_to_response(self.get_context_data(form=self._form_for_changes(form)))
        if not created:
            messages.warning(
                self.request,
                _(
                    "This form was already submitted at %(time)s. Showing that message;"
                    " nothing was sent twice."
                )
                % {"time": full_time(message.created_at)},
            )
        return self.back_to(message)

    def _form_for_changes(self, form: SendForm) -> SendForm:
        """Return a new form for a posted form that was changed after it had been sent.

        The person went back, changed a value and posted again. That is a new message, so they
        must confirm it by sending the new form.
        """
        messages.warning(
            self.request,
            _(
                "This form was already submitted once. Your later changes have not been"
                " sent: check them and send again."
            ),
        )
        values = self.request.POST.copy()
        values["form_token"] = new_form_token()
        return SendForm(**{**self.get_form_kwargs(), "data": values})

    def _remember(self, form: SendForm) -> None:
        session = self.request.session
        account = form.sending_account.public_id
        session[ACCOUNT_KEY] = account
        if form.draft.sender_id:
            session[SENDER_KEY] = {
                **session.get(SENDER_KEY, {}),
                account: form.draft.sender_id,
            }


@fragment("messaging.send_message")
def preview(request: HttpRequest) -> HttpResponse:
    """Preview the number and the text while staff type. Sends nothing."""
    account = chosen_account(request, sending_accounts())
    if account is None or request.method != "POST":
        raise Http404
    typed, text = request.POST.get("recipient", ""), request.POST.get("text", "")
    values = posted_values(request.POST)
    filled = fill_known(text[:LONGEST_TYPED], values) if values else text
    shown = preview_of(account, typed, filled, current_user(request))
    context = {
        "preview": shown,
        "filled": filled if values else "",
        "kind": kind_of(account),
        "account": account,
        "cost_line": cost_line(account, max(shown.count.segments, 1), request.user),
        "fetched": True,
    }
    return render(request, "messaging/preview.html", context)
