"""The sentences of acts on personal data. None of them names a number."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.act_sentences import Area, describe
from core.retention import kinds


def _kind_title(key: object) -> object:
    return next((kind.title for kind in kinds() if kind.key == key), key)


def register() -> None:
    for_ever = _("for ever")
    describe("number.erase", Area.OTHER, _("Asked to erase a phone number"))
    describe("number.erase_stop", Area.OTHER, _("Stopped the erasure of a phone number"))
    describe(
        "number.erased",
        Area.OTHER,
        _("A phone number was erased, rows: %(rows)s"),
        _("A phone number was erased"),
    )
    describe(
        "number.hand_out",
        Area.EXPORT,
        _("Handed out the data of a phone number, rows: %(rows)s"),
        _("Handed out the data of a phone number"),
    )
    describe("legal_hold.set", Area.OTHER, _("Put a phone number on legal hold"))
    describe("legal_hold.lift", Area.OTHER, _("Lifted the legal hold on a phone number"))
    describe(
        "retention.confirm",
        Area.OTHER,
        _("Set how long is kept: %(kind)s, days: %(days)s, before: %(before)s"),
        _("Set how long is kept: %(kind)s"),
        _("Set how long something is kept"),
        shown={"kind": _kind_title},
        of_none={"days": for_ever, "before": for_ever},
    )
