"""The form field of an account's base URL, and the texts of its errors."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminTextInputWidget,
)

from ..accounts import address_policy
from ..gateway.http.address import ForbiddenAddress, check_base_url, check_syntax
from .account_fields import trim


class BaseUrlField(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=300, strip=False, widget=UnfoldAdminTextInputWidget, **kwargs)
        self.widget.attrs |= {
            "inputmode": "url",
            "autocomplete": "off",
            "spellcheck": "false",
            "autocapitalize": "none",
            "dir": "ltr",
        }

    def to_python(self, value: Any) -> str:
        return trim(str(super().to_python(value) or "")).rstrip("/")


def check_address(url: str, *, ask_dns: bool) -> None:
    """Raise `ValidationError` unless this installation may call the address.

    :param ask_dns: whether to resolve the host name too.
    """
    policy = address_policy()
    try:
        if ask_dns:
            check_base_url(url, policy)
        else:
            check_syntax(url, policy)
    except ForbiddenAddress as forbidden:
        text = ADDRESS_TEXTS.get(forbidden.reason, ADDRESS_TEXTS["bad_host"])
        raise ValidationError(text, code=forbidden.reason) from None


ADDRESS_TEXTS: Final = {
    "no_host": _("Enter the full address, starting with https://."),
    "not_http": _("Enter the full address, starting with https://."),
    "not_https": _(
        "Only https:// addresses are allowed, so that passwords are never sent unencrypted."
    ),
    "bad_host": _("Enter a host name such as api.example.com after https://."),
    "bad_port": _("Enter a port from 1 to 65535, or leave it out."),
    "other_service": _("This port belongs to another kind of service. Use 443, or leave it out."),
    "bad_characters": _("Remove the spaces and backslashes."),
    "credentials_in_url": _(
        "Remove the username and password before the @; enter them in the fields below."
    ),
    "query_in_url": _("Enter only the part before the question mark."),
    "fragment_in_url": _("Enter only the part before the #."),
    "odd_address": _(
        "Write the IP address as four numbers separated by dots, or use the host name."
    ),
    "unresolvable": _("Host not found. Check the spelling."),
    "private": _("This address is in a private network, which the portal does not call."),
}
