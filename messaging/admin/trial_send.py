"""A test of a batch: one of its texts, sent to a number of one's own before the batch starts.

It is a single message with all checks of one: it counts in the daily limits, and a form sends it
once.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from django import forms
from django.http import HttpRequest

from core.admin.pages import current_user, new_form_token
from core.masking import shown_number
from core.visibility import may_see_whole
from providers import clock
from providers.presentation.cost_texts import cost_line

from ..models import Batch, Message, StagedRow
from ..presentation.labels import shown_state
from ..queue_message import Draft, find_duplicate
from .batch_page import good_row
from .recipient_form import RecipientForm
from .send_form import unavailable_reason

MOST_SHOWN: Final = 3
SHOWN_FOR: Final = timedelta(hours=24)
LONGEST_ROW: Final = 8
"""Digits of the index of a row."""


class TrialForm(RecipientForm):
    """A valid form has a `draft`, unless the row is gone."""

    row_index = forms.CharField(required=False, max_length=LONGEST_ROW)

    def __init__(self, *args: Any, batch: Batch, **kwargs: Any) -> None:
        super().__init__(*args, account=batch.account, auto_id="test_%s", **kwargs)
        self._batch = batch
        self.repeats: Message | None = None

    @property
    def row(self) -> int:
        typed = str(self["row_index"].value() or "")
        return int(typed) if typed.isascii() and typed.isdigit() else 0

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        reason = unavailable_reason(self._batch.account)
        if reason:
            self.add_error(None, reason)
        if not self.errors:
            self.repeats = find_duplicate(self.draft)
        return cleaned

    @property
    def needs_confirmation(self) -> bool:
        """Whether this repeats a recent message and staff have not confirmed that."""
        if self.repeats is None:
            return False
        return bool(self.cleaned_data.get("confirmed") != self.repeats.public_id)

    @property
    def draft(self) -> Draft:
        batch, row = self._batch, good_row(self._batch, self.row) or StagedRow()
        if self.number is None:
            raise ValueError("Only a valid form has a draft.")
        return Draft(
            account=batch.account,
            recipient=self.number,
            kind=Message.Kind.TEXT,
            text=row.text or batch.text,
            sms_kind=batch.sms_kind,
            sender_id=batch.sender_id,
            belongs_to=subject_of(batch),
        )


def subject_of(batch: Batch) -> str:
    return f"batch:{batch.pk}"


def trial_context(request: HttpRequest, batch: Batch, form: TrialForm | None) -> dict[str, Any]:
    """Context of the part of the confirm page from which a test is sent."""
    person = current_user(request)
    if not person.has_perm("messaging.send_message"):
        return {}
    unsent = TrialForm(batch=batch, reader=person, initial={"form_token": new_form_token()})
    return {
        "test_form": form or unsent,
        "test_cost_line": cost_line(batch.account, batch.usual_segments or 1, person),
        "test_impossible": unavailable_reason(batch.account),
        "tests": list(_recent_tests(request, batch)),
    }


def _recent_tests(request: HttpRequest, batch: Batch) -> Iterator[dict[str, Any]]:
    since = max(batch.created_at, clock.now() - SHOWN_FOR)
    # An index leads to the person's own messages of a day, of which there are few.
    own = Message.objects.filter(created_by=current_user(request), created_at__gte=since)
    rows = own.filter(belongs_to=subject_of(batch)).select_related("account", "batch")
    for message in rows.order_by("-created_at")[:MOST_SHOWN]:
        yield {
            "message": message,
            "state": shown_state(message),
            "number": shown_number(message.recipient, whole=may_see_whole(message, request.user)),
        }
