"""What the log says about acts on messages, batches and the do-not-send list."""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.stored_texts import declare

CANCELLED: Final = declare("message.cancelled", pgettext_lazy("log", "Cancelled"))
RELEASED: Final = declare("message.released", _("Confirmed, so that it is sent"))
MARKED_SENT: Final = declare("message.marked_sent", _("Marked as sent: %(reason)s"))
MARKED_NOT_SENT: Final = declare("message.marked_not_sent", _("Marked as not sent: %(reason)s"))
SENT_AGAIN: Final = declare("message.sent_again", _("Sent again as %(id)s"))
EXPORTED: Final = declare(
    "message.exported", _("Exported as %(format)s with these filters: %(filters)s")
)

BATCH_STARTED: Final = declare("batch.started", pgettext_lazy("log", "Started"))
BATCH_SCHEDULED: Final = declare("batch.scheduled", pgettext_lazy("log", "Scheduled"))
BATCH_UNSCHEDULED: Final = declare("batch.unscheduled", _("Schedule removed"))
BATCH_PAUSED: Final = declare("batch.paused", pgettext_lazy("log", "Paused"))
BATCH_CONTINUED: Final = declare("batch.continued", pgettext_lazy("log", "Continued"))
BATCH_CONTINUED_AFTER: Final = declare(
    "batch.continued_after", _("Continued after a pause by the portal")
)
"""With `paused_at` and `reason`, which the row forgets."""
BATCH_CHECKED_AGAIN: Final = declare("batch.checked_again", _("Another check requested"))
BATCH_TESTED: Final = declare("batch.tested", _("Test sent as message %(id)s"))
BATCH_CANCELLED: Final = declare("batch.cancelled", _("Cancelled for the rest"))
BATCH_SENT_AGAIN: Final = declare("batch.sent_again", _("Sent again as batch %(id)s"))
WARNINGS_CONFIRMED: Final = declare("batch.warnings_confirmed", _("Warnings confirmed"))
REPORT_DOWNLOADED: Final = declare("batch.report_downloaded", _("Report downloaded"))

NUMBER_LISTED: Final = declare("number.listed", _("Added to the list: %(reason)s"))
NUMBER_REMOVED: Final = declare("number.removed", _("Removed from the list: %(reason)s"))
