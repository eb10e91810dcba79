"""The page "Send code", with the fragment that reads the number back while it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from core.admin.pages import current_user, fragment, new_form_token
from core.phones.searches import typed_number
from core.times import full_time
from core.visibility import may_see_whole
from messaging.admin.send_preview import Preview, preview_of
from providers.admin.account_picker import AccountFormPage, pause_context, pick_account
from providers.daily_limits import LimitReached
from providers.engine.leases import is_engine_alive
from providers.limit_texts import concerns_recipient, limit_text
from providers.models import Account
from providers.presentation.cost_texts import cost_line

from .. import limits, sessions
from ..models import Session
from ..routes import default_text, sends_codes, sends_free_text, unavailable_reason
from .send_form import SendCodeForm

if TYPE_CHECKING:
    SendCodeFormView = FormView[SendCodeForm]
else:
    SendCodeFormView = FormView

REMEMBERED = "code_account"
REMEMBERED_CHOICES = "code_choices"
REMEMBERED_FIELDS = ("sender_id", "channel", "template", "text", "fallback")


def accounts_for_codes() -> list[Account]:
    """All accounts that can send codes of any kind."""
    found = Account.objects.prefetch_related("credentials").order_by("name")
    return [account for account in found if sends_codes(account)]


def chosen_account(request: HttpRequest, accounts: list[Account]) -> Account | None:
    return pick_account(request, accounts, request.session.get(REMEMBERED), unavailable_reason)


class SendCodePage(AccountFormPage[Session], SendCodeFormView):
    title = _("Send code")
    permission_required = "otp.send_code"
    template_name = "otp/send.html"
    form_class = SendCodeForm
    no_account_template = "messaging/no_account.html"
    http_method_names = ["get", "post"]

    def find_accounts(self) -> list[Account]:
        return accounts_for_codes()

    def choose_account(self, accounts: list[Account]) -> Account | None:
        return chosen_account(self.request, accounts)

    def kept_values(self) -> dict[str, Any]:
        names = ("recipient", "minutes", "form_token")
        return {name: self.request.POST.get(name, "") for name in names}

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "reader": current_user(self.request)}

    def get_initial(self) -> dict[str, Any]:
        remembered = self.request.session.get(REMEMBERED_CHOICES, {})
        own = remembered.get(self.account.public_id, {}) if self.account else {}
        initial = {"form_token": new_form_token(), **own}
        if self.account and sends_free_text(self.account):
            initial.setdefault("template", default_text())
        if typed := typed_number(self.request.GET.get("number", ""), current_user(self.request)):
            initial["recipient"] = typed
        like = self._session_to_repeat()
        if like is not None:
            initial["recipient"] = like.recipient
        return initial

    def _session_to_repeat(self) -> Session | None:
        """The session in `like`, if the user may see its number.

        Links from an ended session use this to prefill the number without putting it in the URL.
        """
        public_id = self.request.GET.get("like", "")
        if not public_id:
            return None
        found = Session.objects.filter(public_id=public_id).first()
        return found if found and may_see_whole(found, current_user(self.request)) else None

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        form: SendCodeForm = context["form"]
        values = form.data if form.is_bound else form.initial
        typed = str(values.get("recipient", ""))
        shown = preview_of(form.sending_account, typed, "", current_user(self.request))
        return {
            **context,
            "preview": shown,
            "cost_line": cost_line(form.sending_account, 1, self.request.user),
            "asleep": not is_engine_alive(),
            **pause_context(self.account, self.accounts, unavailable_reason),
            "makes_own_code": form.makes_own_code,
            "still_open": open_session_of(shown),
            "confirming": form.still_open if form.is_bound else None,
        }

    def form_valid(self, form: SendCodeForm) -> HttpResponse:
        token = form.cleaned_data["form_token"]
        by = current_user(self.request)
        earlier = sessions.session_of_form(token, by)
        if earlier is None and form.needs_confirmation:
            return self.render_to_response(self.get_context_data(form=form))
        try:
            session, created = sessions.start(form.plan, by=by, form_token=token)
        except limits.TooEarly as early:
            form.add_error("recipient", limits.too_early_text(early))
            return self.form_invalid(form)
        except LimitReached as reached:
            form.add_error(
                "recipient" if concerns_recipient(reached) else None, limit_text(reached)
            )
            return self.form_invalid(form)
        self._remember(form)
        if not created:
            self._warn_already_sent(session, form)
        return self.back_to(session)

    def _warn_already_sent(self, session: Session, form: SendCodeForm) -> None:
        same = form.number is not None and form.number.e164 == session.recipient
        words = (
            _("This form was already submitted at %(time)s. Nothing was sent twice.")
            if same
            else _(
                "This form was already submitted at %(time)s for the number below. Your"
                " later changes have not been sent: open a new form to send them."
            )
        )
        messages.warning(self.request, words % {"time": full_time(session.created_at)})

    def _remember(self, form: SendCodeForm) -> None:
        store = self.request.session
        account = form.sending_account.public_id
        store[REMEMBERED] = account
        choices = {
            name: form.data[name] for name in REMEMBERED_FIELDS if form.data.get(name) is not None
        }
        store[REMEMBERED_CHOICES] = {**store.get(REMEMBERED_CHOICES, {}), account: choices}


def open_session_of(preview: Preview) -> Session | None:
    return sessions.open_session_for(preview.number.e164) if preview.number else None


@fragment("otp.send_code")
def preview(request: HttpRequest) -> HttpResponse:
    """Read the number back and show whether a code for it is open. Sends nothing."""
    account = chosen_account(request, accounts_for_codes())
    if account is None or request.method != "POST":
        raise Http404
    shown = preview_of(account, request.POST.get("recipient", ""), "", current_user(request))
    context = {"preview": shown, "fetched": True, "still_open": open_session_of(shown)}
    return render(request, "otp/readback.html", context)
