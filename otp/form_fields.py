"""Those fields of the form "Send code" that follow what the account's client can do."""

from __future__ import annotations

from typing import Final, TypeAlias

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from providers.gateway.client import CodeTemplate, SendsOwnCode, SendsText
from providers.models import Account

from . import codes
from .ways import PLACE, TEXTS, Way

Fields: TypeAlias = dict[str, forms.Field]

OWN_TEXT: Final = "own"
MADE, TYPED = "made", "typed"


def text_fields(account: Account, client: type[SendsText]) -> Fields:
    """For an account that sends any text of ours."""
    fields: Fields = {}
    senders = client.sender_ids(account.options)
    fields["sender_id"] = forms.ChoiceField(
        label=_("Sender ID"),
        choices=[(sender, sender) for sender in senders],
        widget=UnfoldAdminSelectWidget(),
        error_messages={"required": _("This account has no sender ID yet.")},
    )
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
        help_text=_("Write %(place)s where the code stands.") % {"place": PLACE},
        widget=UnfoldAdminTextareaWidget({"rows": 2, "dir": "auto", "maxlength": False}),
    )
    return fields


def template_fields(account: Account, client: type[SendsOwnCode]) -> Fields:
    """For an account whose provider has texts of its own around a code of ours."""
    fields: Fields = {}
    found = [
        channel
        for country in account.allowed_countries
        for channel in client.channels(country, account.options)
    ]
    fields["channel"] = forms.ChoiceField(
        label=_("Channel"),
        choices=[(channel, channel) for channel in dict.fromkeys(found)],
        widget=UnfoldAdminSelectWidget(),
        error_messages={"required": _("This account has no channel yet.")},
    )
    fields["template"] = forms.ChoiceField(
        label=_("Message"),
        required=False,
        choices=[(known.key, _label_of(known)) for known in client.templates],
        initial=account.options.get("default_template", client.default_template),
        widget=UnfoldAdminRadioSelectWidget(),
    )
    return fields


def code_fields(account: Account) -> Fields:
    """Who makes the code, and how long it is."""
    fields: Fields = {}
    longest = Way(account).longest_code(codes.LONGEST)
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


def _label_of(template: CodeTemplate) -> str:
    label = f"{template.key or gettext('default')}: “{template.text}”"
    return f"{label} – {gettext(template.note)}" if template.note else label
