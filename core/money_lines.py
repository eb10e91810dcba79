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
    def key(self) -> str:
        """What the page of the money words calls this line in its address."""
        return self.name.lower().replace("_", "-")

    @property
    def text(self) -> Promise:
        return _TEXTS[self]


_TEXTS: Final[dict[MoneyLine, Promise]] = {
    MoneyLine.NOT_SPENT: _("No charge: the provider did not process the request."),
    MoneyLine.NOT_SENT: _("Nothing was sent and nothing was charged."),
    MoneyLine.REFUSED: _("Refused by the provider. Refused requests are not normally charged."),
    MoneyLine.UNKNOWN: _(
        "This may have been charged: it is not known whether the provider processed the request."
    ),
    MoneyLine.ACCEPTED: _("Accepted by the provider, which charges under its own rules."),
}
