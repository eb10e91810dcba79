"""States and allowed moves of enquiries and stored callbacks."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.states import StateTable


class EnquiryState(models.TextChoices):
    QUEUED = "queued", pgettext_lazy("enquiry", "Waiting")
    CLAIMED = "claimed", _("In progress")
    ANSWERED = "answered", pgettext_lazy("enquiry", "Answered")
    FAILED = "failed", pgettext_lazy("enquiry", "Failed")


E = EnquiryState

ENQUIRY_STATES = StateTable(
    {
        # Failed without a call: the answer is no longer needed.
        E.QUEUED: frozenset({E.CLAIMED, E.FAILED}),
        # Queued again after its loop stopped or died: an enquiry is free, so it may be repeated.
        E.CLAIMED: frozenset({E.QUEUED, E.ANSWERED, E.FAILED}),
        E.ANSWERED: frozenset(),
        E.FAILED: frozenset(),
    }
)


class CallbackState(models.TextChoices):
    RECEIVED = "received", _("Not processed yet")
    APPLIED = "applied", pgettext_lazy("callback", "Applied")
    UNMATCHED = "unmatched", pgettext_lazy("callback", "Unmatched")
    UNRECOGNISED = "unrecognised", pgettext_lazy("callback", "Unrecognised")
    CONFLICT = "conflict", pgettext_lazy("callback", "Conflict")


C = CallbackState

_READ = frozenset({C.APPLIED, C.UNMATCHED, C.UNRECOGNISED, C.CONFLICT})

CALLBACK_STATES = StateTable(
    {
        # To itself: staff process a callback again before its first processing.
        C.RECEIVED: _READ | {C.RECEIVED},
        # A callback can be processed again at any time, and the result depends on what is known
        # then: an order may have been placed or a message pruned since. So every result may
        # follow every result. Back to received: staff process it again.
        C.APPLIED: _READ | {C.RECEIVED},
        C.UNMATCHED: _READ | {C.RECEIVED},
        C.UNRECOGNISED: _READ | {C.RECEIVED},
        C.CONFLICT: _READ | {C.RECEIVED},
    }
)


class ApprovalState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("approval", "Waiting")
    GRANTED = "granted", pgettext_lazy("approval", "Approved")
    REJECTED = "rejected", pgettext_lazy("approval", "Rejected")
    WITHDRAWN = "withdrawn", pgettext_lazy("approval", "Withdrawn")
    LAPSED = "lapsed", pgettext_lazy("approval", "Lapsed")
    """It ended without a decision: what was asked for is no longer there, has changed, or its
    time has passed."""


A = ApprovalState

APPROVAL_STATES = StateTable(
    {
        A.WAITING: frozenset({A.GRANTED, A.REJECTED, A.WITHDRAWN, A.LAPSED}),
        # Approved, but what was approved has changed since, or can no longer be done.
        A.GRANTED: frozenset({A.LAPSED}),
        A.REJECTED: frozenset(),
        A.WITHDRAWN: frozenset(),
        A.LAPSED: frozenset(),
    }
)
