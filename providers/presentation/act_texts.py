"""The sentences of acts on accounts, callbacks and holds."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.act_sentences import Area, describe
from core.stored_texts import show

from ..hold import decisions


def register() -> None:
    title = {"title": lambda stored: show(str(stored))}
    describe("account.paused", Area.ACCOUNT, _("Paused %(subject)s"))
    describe("account.resumed", Area.ACCOUNT, _("Resumed %(subject)s"))
    describe("account.address_created", Area.ACCOUNT, _("Created a callback address: %(subject)s"))
    describe("account.address_revoked", Area.ACCOUNT, _("Revoked a callback address: %(subject)s"))
    describe("callback.processed_again", Area.OTHER, _("Processed again: %(subject)s"))
    describe(decisions.BEGUN, Area.HOLD, _("Put on hold what was waiting"))
    describe(decisions.EXTENDED, Area.HOLD, _("Put on hold what was waiting meanwhile"))
    describe(
        decisions.RELEASED,
        Area.HOLD,
        _("Released from hold: %(title)s, %(count)s"),
        _("Released something from hold"),
        shown=title,
    )
    describe(
        decisions.DISCARDED,
        Area.HOLD,
        _("Discarded on hold: %(title)s, %(count)s"),
        _("Discarded something on hold"),
        shown=title,
    )
    describe(decisions.ENDED, Area.HOLD, _("Ended the hold: everything was decided"))
    describe(
        "approval.ask",
        Area.SEND,
        _("Asked for approval of %(subject)s, items: %(count)s"),
        _("Asked for approval of %(subject)s"),
    )
    describe(
        "approval.grant",
        Area.SEND,
        _("Approved %(subject)s, items: %(count)s"),
        _("Approved %(subject)s"),
    )
    describe(
        "approval.reject",
        Area.SEND,
        _("Rejected %(subject)s, items: %(count)s"),
        _("Rejected %(subject)s"),
    )
    describe("approval.withdraw", Area.SEND, _("Withdrew the request to approve %(subject)s"))
    describe("fence.server", Area.OTHER, _("Noticed another database server"))
