"""The form "Send code". Its fields depend on the capabilities of the chosen account's client."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from django import forms
from django.conf import settings
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectWidget,
)

from core.punctuation import label_text
from core.text_cleaning import clean_text
from messaging import segments
from messaging.admin.recipient_form import RecipientForm
from messaging.recipients import InvalidRecipient, recipient_for, unsupported_text
from messaging.text_rules import control_character_text, has_control_characters
from providers.admin.account_picker import AccountChoice
from providers.gateway.client import CannotTake, MakesCodes, SendsOwnCode, SendsText
from providers.models import Account

from .. import codes
from ..models import Session
from ..routes import (
    CODE_PLACEHOLDER,
    TEXTS,
    Route,
    default_route,
    default_text,
    preview_text,
    unavailable_reason,
    with_dots,
)
from ..sessions import Plan, open_session_for
from .send_form_fields import OWN_TEXT, TYPED, code_fields, template_fields, text_fields

MINUTES: Final = (10, 5, 3)
SHORTEST_TYPED: Final = 4
LONGEST_TYPED: Final = 10
"""Bounds in characters for a code that staff type; the provider may set narrower ones."""
MAX_SEGMENTS: Final = 3
ORDER: Final = (
    "account",
    "fallback",
    "recipient",
    "sender_id",
    "channel",
    "template",
    "text",
    "maker",
    "length",
    "typed",
    "minutes",
)


class SendCodeForm(RecipientForm):
    """The form for one account. Once it is valid, `plan` describes the session to start."""

    minutes = forms.TypedChoiceField(
        label=_("Valid for"), coerce=int, initial=MINUTES[0], widget=UnfoldAdminSelectWidget()
    )

    def __init__(
        self,
        *args: Any,
        account: Account,
        accounts: Sequence[Account],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, account=account, **kwargs)
        self.fields["recipient"].label = pgettext_lazy("field", "Number")
        self.accounts = {one.public_id: one for one in accounts}
        self.still_open: Session | None = None
        """An open session for the same number."""
        self.fields["account"] = AccountChoice(
            accounts, unavailable_reason, initial=account.public_id
        )
        self.fields["fallback"] = AccountChoice(
            [one for one in accounts if one != account],
            unavailable_reason,
            label=_("If sending fails"),
            empty_label=_("Do not switch automatically"),
            help_text=_("Another account is used only if it is certain that no SMS was sent."),
        )
        self.fields["minutes"].choices = [  # type: ignore[attr-defined]
            (n, ngettext("%(n)s minute", "%(n)s minutes", n) % {"n": n}) for n in MINUTES
        ]
        self._add_fields_of_account()
        self.order_fields(ORDER)

    # --- fields --------------------------------------------------------------

    @property
    def makes_own_code(self) -> bool:
        client = self.sending_account.client
        return client is not None and not issubclass(client, MakesCodes)

    def _add_fields_of_account(self) -> None:
        client = self.sending_account.client
        if client is None:
            return
        account = self.sending_account
        if issubclass(client, SendsText):
            self.fields.update(text_fields(account, client))
        elif issubclass(client, SendsOwnCode):
            self.fields.update(template_fields(account, client))
        if self.makes_own_code:
            self.fields.update(code_fields(account))

    def fallback_routes(self) -> Iterator[tuple[str, str, bool]]:
        """Yield each possible fallback: its id, its text and whether it is chosen.

        The text is empty if the provider writes it.
        """
        chosen = self["fallback"].value()
        template = self["template"].value() if "template" in self.fields else ""
        text = with_dots(TEXTS.get(template, TEXTS[default_text()]))
        for public_id, account in self.accounts.items():
            if account == self.sending_account:
                continue
            route = default_route(account, settings.HOME_COUNTRY, text, template)
            yield public_id, preview_text(route), public_id == chosen

    # --- checks ---------------------------------------------------------------

    def clean_account(self) -> Account:
        return self._available(self.cleaned_data["account"])

    def clean_fallback(self) -> Account | None:
        chosen = self.cleaned_data["fallback"]
        return self._available(chosen) if chosen else None

    def _available(self, public_id: str) -> Account:
        account = self.accounts[public_id]
        reason = unavailable_reason(account)
        if reason:
            raise forms.ValidationError(label_text(account.name, reason))
        return account

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self._check_text(cleaned)
        self._check_typed(cleaned)
        if self.number is None:
            return cleaned
        self.check_channel(cleaned)
        self._check_fallback(cleaned)
        if not self.errors:
            self.still_open = open_session_for(self.number.e164)
        return cleaned

    def _check_text(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("template") != OWN_TEXT or "text" not in self.fields:
            return
        text = clean_text(segments.normalise_line_ends(cleaned.get("text") or "")).strip()
        if text.count(CODE_PLACEHOLDER) != 1:
            words = gettext("Put %(place)s exactly once, where the code should appear.")
            self.add_error("text", words % {"place": CODE_PLACEHOLDER})
        elif has_control_characters(text):
            self.add_error("text", control_character_text())
        elif segments.count(text).segments > MAX_SEGMENTS:
            words = gettext("The text may have at most %(most)s segments. Shorten it.")
            self.add_error("text", words % {"most": MAX_SEGMENTS})
        cleaned["text"] = text

    def _check_typed(self, cleaned: dict[str, Any]) -> None:
        if cleaned.get("maker") != TYPED:
            return
        typed = (cleaned.get("typed") or "").strip()
        client = self.sending_account.client
        problem = _typed_code_problem(typed)
        if not problem and client is not None and issubclass(client, SendsOwnCode):
            try:
                client.check_own_code(typed)
            except CannotTake as cannot:
                problem = unsupported_text(cannot)
        if problem:
            self.add_error("typed", problem)
        cleaned["typed"] = typed

    def _check_fallback(self, cleaned: dict[str, Any]) -> None:
        fallback = cleaned.get("fallback")
        if fallback is None or self.number is None:
            return
        try:
            recipient_for(fallback, self.number.e164)
        except InvalidRecipient as reason:
            self.add_error("fallback", str(reason))
            return
        problem = unavailable_reason(fallback, self.number.country)
        if problem:
            self.add_error("fallback", label_text(fallback.name, problem))

    # --- outcome ----------------------------------------------------------------

    @property
    def plan(self) -> Plan:
        if self.number is None:
            raise ValueError("Only a valid form has a plan.")
        values = self.cleaned_data
        text = self._chosen_text()
        return Plan(
            route=Route(
                self.sending_account,
                channel=values.get("channel", ""),
                template="" if "sender_id" in values else values.get("template", ""),
                sender_id=values.get("sender_id", ""),
                text=text,
            ),
            recipient=self.number,
            minutes=values["minutes"],
            fallback=values.get("fallback"),
            length=values.get("length") or codes.SHORTEST,
            typed=values.get("typed", "") if values.get("maker") == TYPED else "",
            text=text,
        )

    def _chosen_text(self) -> str:
        """The text around the code. A fallback account that sends free text uses it, too."""
        chosen = self.cleaned_data.get("template", "")
        if chosen == OWN_TEXT:
            return with_dots(self.cleaned_data["text"])
        return with_dots(TEXTS.get(chosen, TEXTS[default_text()]))

    @property
    def needs_confirmation(self) -> bool:
        """Whether an open code would be replaced and staff have not confirmed that yet."""
        if self.still_open is None:
            return False
        return bool(self.cleaned_data.get("confirmed") != self.still_open.public_id)


def _typed_code_problem(typed: str) -> str:
    plain = typed.isascii() and typed.isalnum()
    if plain and SHORTEST_TYPED <= len(typed) <= LONGEST_TYPED:
        return ""
    return gettext("Enter a code of %(least)s to %(most)s digits and English letters.") % {
        "least": SHORTEST_TYPED,
        "most": LONGEST_TYPED,
    }
