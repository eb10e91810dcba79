"""Where a secret that was entered may go: to the host it was entered for, and never back to
the page."""

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
    """Scheme, host and port: what a secret is sent to."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


class SecretRules(AnyAccountForm):
    """Mixed into the account form, whose secret fields it watches over."""

    client: type[Client]
    is_new: bool

    def check_secrets_stay_here(self) -> None:
        """A stored secret goes to the host it was entered for, and to no other: else who may
        change an address could read what nobody may see."""
        url = str(self.cleaned_data.get("base_url", ""))
        if self.is_new or not url or host_of(url) == host_of(str(self.initial["base_url"])):
            return
        for name, value in self.entered_secrets().items():
            if not value:
                self.add_error(
                    SECRET + name,
                    _("Enter this again: the address leads to another host now."),
                )

    def full_clean(self) -> None:
        super().full_clean()
        if self.is_bound:
            self.check_secrets_stay_here()
        if self.is_bound and self.errors:
            self.ask_for_secrets_again()

    def ask_for_secrets_again(self) -> None:
        """The page comes back without them, which nobody should find out by a refusal."""
        for name, value in self.entered_secrets().items():
            if value and SECRET + name not in self.errors:
                self.add_error(
                    SECRET + name, _("Enter this again: a secret is never sent back to the page.")
                )

    def entered_secrets(self) -> dict[str, str]:
        names = [field.name for field in self.client.credential_fields]
        return {name: str(self.data.get(self.add_prefix(SECRET + name)) or "") for name in names}
