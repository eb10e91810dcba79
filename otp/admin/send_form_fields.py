"""Fields of the form "Send code" that depend on the client's capabilities."""

from __future__ import annotations

from typing import Final, TypeAlias

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from messaging.admin.recipient_form import channel_field, sender_field, template_field
from providers.gateway.client import SendsOwnCode, SendsText
from providers.models import Account

from .. import codes
from ..routes import CODE_PLACEHOLDER, TEXTS, Route

Fields: TypeAlias = dict[str, forms.Field]

OWN_TEXT: Final = "own"
MADE, TYPED = "made", "typed"


def text_fields(account: Account, client: type[SendsText]) -> Fields:
    """Fields for an account that sends free text."""
    fields: Fields = {}
    fields["sender_id"] = sender_field(account, client)
    choices = [*((key, f"“{text}”") for key, text in TEXTS.items()), (OWN_TEXT, _("own text"))]
    fields["template"] = forms.ChoiceField(
        label=_("Message"),
        choices=choices,
        initial="en",
        widget=UnfoldAdminRadioSelectWidget(),
    )
    fields["text"] = forms.CharField(
        label=_("Own text"),
        required=False,
        max_length=1000,
        help_text=_("Write %(place)s where the code stands.") % {"place": CODE_PLACEHOLDER},
        widget=UnfoldAdminTextareaWidget({"rows": 2, "dir": "auto", "maxlength": False}),
    )
    return fields


def template_fields(account: Account, client: type[SendsOwnCode]) -> Fields:
    """Fields for an account whose provider puts its own text around the portal's code."""
    return {
        "channel": channel_field(account, client),
        "template": template_field(account, client),
    }


def code_fields(account: Account) -> Fields:
    """Fields for the maker and the length of the code."""
    fields: Fields = {}
    longest = Route(account).code_length(codes.LONGEST)
    made = (
        _("made by the portal") if longest > codes.SHORTEST else _("made by the portal, 6 digits")
    )
    fields["maker"] = forms.ChoiceField(
        label=_("Code"),
        choices=[(MADE, made), (TYPED, _("typed"))],
        initial=MADE,
        widget=UnfoldAdminRadioSelectWidget(),
    )
    if longest > codes.SHORTEST:
        fields["length"] = forms.TypedChoiceField(
            label=_("Digits"),
            coerce=int,
            choices=[(n, n) for n in range(codes.SHORTEST, longest + 1)],
            initial=codes.SHORTEST,
            required=False,
            widget=UnfoldAdminSelectWidget(),
        )
    fields["typed"] = forms.CharField(
        label=_("Typed code"),
        required=False,
        max_length=32,
        widget=UnfoldAdminTextInputWidget(
            {"autocomplete": "off", "autocapitalize": "off", "spellcheck": "false"}
        ),
    )
    return fields
