"""The states of an enquiry and of a stored callback, and which may follow which."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from core.states import StateTable


class EnquiryState(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    CLAIMED = "claimed", _("Asking")
    ANSWERED = "answered", _("Answered")
    FAILED = "failed", _("Failed")


E = EnquiryState

ENQUIRY_STATES = StateTable(
    {
        # Failed unasked: nobody waits for the answer any more.
        E.QUEUED: frozenset({E.CLAIMED, E.FAILED}),
        # Back to queued because its loop stopped or is gone: a question costs nothing, so it may
        # be repeated.
        E.CLAIMED: frozenset({E.QUEUED, E.ANSWERED, E.FAILED}),
        E.ANSWERED: frozenset(),
        E.FAILED: frozenset(),
    }
)


class CallbackState(models.TextChoices):
    RECEIVED = "received", _("Not read yet")
    APPLIED = "applied", _("Applied")
    UNMATCHED = "unmatched", _("Unmatched")
    UNRECOGNISED = "unrecognised", _("Unrecognised")
    CONFLICT = "conflict", _("Conflict")


C = CallbackState

_READ = frozenset({C.APPLIED, C.UNMATCHED, C.UNRECOGNISED, C.CONFLICT})

CALLBACK_STATES = StateTable(
    {
        # To itself: staff have a callback processed again before it was read at all.
        C.RECEIVED: _READ | {C.RECEIVED},
        # A callback can be read again at any time, and what it says then depends on what is known
        # by then: an order placed since, a message pruned since. So each result may follow each
        # other one, and itself. Back to received: staff have it processed again.
        C.APPLIED: _READ | {C.RECEIVED},
        C.UNMATCHED: _READ | {C.RECEIVED},
        C.UNRECOGNISED: _READ | {C.RECEIVED},
        C.CONFLICT: _READ | {C.RECEIVED},
    }
)
