"""The sentences of acts on the audit log itself."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.act_sentences import Area, describe

from ..accepted import ACCEPTED
from ..erasure import ERASED
from .sentences import UNKNOWN


def register() -> None:
    describe(ERASED, Area.OTHER, _("Erased what was personal in entries of the audit log"))
    describe(
        ACCEPTED,
        Area.OTHER,
        _("Accepted a break of the audit log's chain: seal %(seal)s, entry %(act)s"),
        shown={"seal": _or_unknown, "act": _or_unknown},
    )
    describe("audit.check", Area.OTHER, _("Had the chain of the audit log checked"))


def _or_unknown(value: object) -> object:
    return UNKNOWN if value is None else value
