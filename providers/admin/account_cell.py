"""The account's name in a list."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import pgettext_lazy

from core.masking import data


class AccountCell:
    """Adds the column `account_` to a list of rows that have an `account`."""

    @admin.display(description=pgettext_lazy("column", "Account"), ordering="account")
    def account_(self, row: Any) -> SafeString:
        return data(row.account)
