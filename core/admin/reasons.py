"""The reasons that staff give for decisions, with presets for a reveal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

from django.http import HttpRequest
from django.utils.translation import pgettext_lazy

from core.stored_texts import Stored, StoredText, declare, from_staff

MAX_REASON_LENGTH: Final = 200

Presets: TypeAlias = Mapping[str, StoredText]
"""Reasons to choose from, by their value in the form."""

REVEAL_REASONS: Final[Presets] = {
    "customer": declare("reveal.customer", pgettext_lazy("reveal", "Customer request")),
    "complaint": declare("reveal.complaint", pgettext_lazy("reveal", "Complaint")),
    "provider": declare("reveal.provider", pgettext_lazy("reveal", "Inquiry to the provider")),
    "check": declare("reveal.check", pgettext_lazy("reveal", "Internal check")),
}


def reason_from(request: HttpRequest, presets: Presets) -> Stored:
    """The chosen preset or the typed text, as it is stored; empty if there is neither."""
    chosen = request.POST.get("reason", "")
    if chosen in presets:
        return presets[chosen].store()
    return typed_reason(request.POST.get("other", ""))


def typed_reason(text: str) -> Stored:
    """A reason that staff typed, without what no column can hold."""
    return Stored(from_staff(text.replace("\x00", "").strip())[:MAX_REASON_LENGTH])
