"""The sentences of acts on the audit log itself."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.act_sentences import Area, describe

from ..accepted import ACCEPTED
from ..erasure import ERASED


def register() -> None:
    describe(ERASED, Area.OTHER, _("Erased what was personal in entries of the audit log"))
    describe(
        ACCEPTED,
        Area.OTHER,
        _("Accepted a break of the audit log's chain: seal %(seal)s, entry %(act)s"),
        _("Accepted a break of the audit log's chain: seal %(seal)s"),
        _("Accepted a break of the audit log's chain: entry %(act)s"),
        _("Accepted a break of the audit log's chain"),
    )
    describe("audit.check", Area.OTHER, _("Had the chain of the audit log checked"))
