"""The sentences of acts on the audit log itself."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.act_sentences import Area, describe

from ..erasure import ERASED


def register() -> None:
    describe(ERASED, Area.OTHER, _("Erased what was personal in entries of the audit log"))
    describe("audit.check", Area.OTHER, _("Had the chain of the audit log checked"))
