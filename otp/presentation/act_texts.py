"""The sentences of acts on code sessions."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.act_sentences import Area, describe


def register() -> None:
    describe("code.send", Area.SEND, _("Sent a code: %(subject)s"))
    describe(
        "session.sent_again",
        Area.SEND,
        _("Sent a new code via %(account)s: %(subject)s"),
        _("Sent a new code: %(subject)s"),
    )
    describe("session.cancelled", Area.SEND, _("Cancelled %(subject)s"))
