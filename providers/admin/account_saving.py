"""How the account form is saved: as a new account, or over what nobody else changed meanwhile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from core.punctuation import listed

from .. import accounts
from ..models import Account
from .form_changes import (
    COLUMNS,
    OPTION,
    SECRET,
    changed_since,
    channel_warnings,
    field_digests,
    secret_warnings,
)
from .secret_rules import SecretRules

if TYPE_CHECKING:
    AnyAccountForm = forms.ModelForm[Account]
else:
    AnyAccountForm = forms.ModelForm


class SavesAccount(SecretRules, AnyAccountForm):
    """`save` returns None, and adds an error, if another person changed the account after this form
    was opened."""

    warnings: list[str]

    def options(self) -> dict[str, object]:
        """The entered options, and those stored by earlier versions of the client."""
        entered = {
            option.name: self.cleaned_data[OPTION + option.name]
            for option in self.client.option_fields
        }
        return {**self.instance.options, **entered}

    def save(self, commit: bool = True) -> Account | None:  # type: ignore[override]
        secrets = {
            field.name: self.cleaned_data[SECRET + field.name]
            for field in self.client.credential_fields
        }
        values: dict[str, Any] = {
            name: self.cleaned_data[name] for name in COLUMNS if name in self.fields
        }
        account = self._create(secrets, values) if self.is_new else self._change(secrets, values)
        if account is not None:
            self.warnings = [*secret_warnings(self, secrets), *channel_warnings(account)]
        return account

    def _create(self, secrets: Mapping[str, str], values: Mapping[str, Any]) -> Account:
        return accounts.create_account(
            provider=self.client.key, credentials=secrets, options=self.options(), **values
        )

    def _change(self, secrets: Mapping[str, str], values: Mapping[str, Any]) -> Account | None:
        with transaction.atomic():
            account = Account.objects.select_for_update().get(pk=self.instance.pk)
            if changed := changed_since(self.cleaned_data["seen"], account):
                self._report_conflict(account, changed)
                return None
            for name, value in values.items():
                setattr(account, name, value)
            account.options = self.options()
            # Only these columns, so that a concurrent pause survives.
            account.save(update_fields=[*values, "options"])
            accounts.save_credentials(account, secrets)
        return account

    def _report_conflict(self, account: Account, changed: list[str]) -> None:
        labels = listed(self.fields[name].label for name in changed if name in self.fields)
        self.add_error(
            None,
            ValidationError(
                _(
                    "Someone else saved this account after you opened it. Changed: %(fields)s."
                    " Your changes are not saved yet. Save again to overwrite theirs, or reload"
                    " the page to see them."
                ),
                params={"fields": labels or "–"},
            ),
        )
        # Saving once more then overwrites the other changes deliberately.
        self.data: Any = self.data.copy()
        self.data[self.add_prefix("seen")] = json.dumps(field_digests(account))
        self.require_secrets_again()
