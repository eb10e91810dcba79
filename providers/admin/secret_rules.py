"""Rules for entered secrets: they go only to the host they were entered for, and never back to the
page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django import forms
from django.utils.translation import gettext_lazy as _

from ..gateway.client import Client
from ..models import Account
from .form_changes import SECRET

if TYPE_CHECKING:
    AnyAccountForm = forms.ModelForm[Account]
else:
    AnyAccountForm = forms.BaseModelForm


def host_of(url: str) -> str:
    """The scheme, host and port that a secret is sent to."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


class SecretRules(AnyAccountForm):
    """A mixin of the account form."""

    client: type[Client]
    is_new: bool

    def check_secret_host(self) -> None:
        """Require stored secrets again for another host. Otherwise anybody who may change the
        address could have them sent to a host of their own."""
        url = str(self.cleaned_data.get("base_url", ""))
        if self.is_new or not url or host_of(url) == host_of(str(self.initial["base_url"])):
            return
        for name, value in self.entered_secrets().items():
            if not value:
                self.add_error(
                    SECRET + name,
                    _("Enter this again: the address now points to another host."),
                )

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound:
            self.check_secret_host()
        if self.is_bound and self.errors:
            self.require_secrets_again()

    def require_secrets_again(self) -> None:
        """Report that the secrets must be entered again, since the page never contains them."""
        for name, value in self.entered_secrets().items():
            if value and SECRET + name not in self.errors:
                self.add_error(SECRET + name, _("Enter this again: saved secrets are never shown."))

    def entered_secrets(self) -> dict[str, str]:
        names = [field.name for field in self.client.credential_fields]
        return {name: str(self.data.get(self.add_prefix(SECRET + name)) or "") for name in names}
