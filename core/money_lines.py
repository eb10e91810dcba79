"""The five statements about money, one of which accompanies every outcome."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class MoneyLine(StrEnum):
    NOT_SPENT = "N"
    NOT_SENT = "L"
    REFUSED = "R"
    UNKNOWN = "U"
    ACCEPTED = "D"

    @property
    def text(self) -> Promise:
        return _TEXTS[self]


_TEXTS: Final[dict[MoneyLine, Promise]] = {
    MoneyLine.NOT_SPENT: _("No money was spent: the provider did not act on it."),
    MoneyLine.NOT_SENT: _("Nothing was sent and nothing was charged."),
    MoneyLine.REFUSED: _("The provider refused it; a refusal is not normally charged."),
    MoneyLine.UNKNOWN: _("Money may have been spent: it is not known whether the provider acted."),
    MoneyLine.ACCEPTED: _("The provider accepted it and charges by its own rules."),
}
