"""The sentences of acts on messages, batches, templates and the do-not-send list."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from core.act_sentences import Area, describe


def register() -> None:
    describe("message.send", Area.SEND, _("Sent an SMS: %(subject)s"))
    describe(
        "message.sent_again",
        Area.SEND,
        _("Sent again: %(subject)s, as %(id)s"),
        _("Sent again: %(subject)s"),
    )
    describe("message.released", Area.SEND, _("Confirmed, so that it is sent: %(subject)s"))
    describe("message.cancelled", Area.SEND, _("Cancelled %(subject)s"))
    describe("message.marked_sent", Area.OUTCOME, _("Set the outcome to sent: %(subject)s"))
    describe("message.marked_not_sent", Area.OUTCOME, _("Set the outcome to not sent: %(subject)s"))
    describe("batch.create", Area.SEND, _("Created %(subject)s"))
    describe("batch.checked_again", Area.SEND, _("Had %(subject)s checked again"))
    describe("batch.warnings_confirmed", Area.SEND, _("Confirmed the warnings of %(subject)s"))
    describe(
        "batch.tested",
        Area.SEND,
        _("Sent a test of %(subject)s, as message %(id)s"),
        _("Sent a test of %(subject)s"),
    )
    describe("batch.started", Area.SEND, _("Started %(subject)s"))
    describe("batch.scheduled", Area.SEND, _("Scheduled %(subject)s"))
    describe("batch.unscheduled", Area.SEND, _("Removed the schedule of %(subject)s"))
    describe("batch.paused", Area.SEND, _("Paused %(subject)s"))
    describe("batch.continued", Area.SEND, _("Continued %(subject)s"))
    describe(
        "batch.continued_after", Area.SEND, _("Continued %(subject)s after a pause by the portal")
    )
    describe("batch.cancelled", Area.SEND, _("Cancelled the rest of %(subject)s"))
    describe(
        "batch.sent_again",
        Area.SEND,
        _("Created batch %(id)s to send %(subject)s again"),
        _("Created a batch to send %(subject)s again"),
    )
    describe("number.listed", Area.ACCOUNT, _("Added to the do-not-send list: %(subject)s"))
    describe("number.removed", Area.ACCOUNT, _("Removed from the do-not-send list: %(subject)s"))
