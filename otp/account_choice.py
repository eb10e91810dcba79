"""Choosing one of the accounts; those that cannot be used stand in the list with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from core.admin.buttons import Text
from providers.models import Account

from .ways import why_not


class AccountSelect(UnfoldAdminSelectWidget):
    accounts: Mapping[str, Account]

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(name, value, *args, **kwargs)
        account = self.accounts.get(str(value))
        reason = why_not(account) if account else ""
        if account and reason:
            option["label"] = f"{account.name} – {reason}"
            option["attrs"]["disabled"] = True
        return option


class AccountChoice(forms.ChoiceField):
    """Cleans to the public id. `nothing` is the label of choosing none, where one may."""

    def __init__(
        self, accounts: Mapping[str, Account], *, nothing: Text = "", **kwargs: Any
    ) -> None:
        choices: list[tuple[str, Text]] = [(key, one.name) for key, one in accounts.items()]
        if nothing:
            choices.insert(0, ("", nothing))
        widget = AccountSelect()
        widget.accounts = accounts
        super().__init__(
            **{
                "label": _("Account"),
                "choices": choices,
                "widget": widget,
                "required": not nothing,
                **kwargs,
            }
        )
