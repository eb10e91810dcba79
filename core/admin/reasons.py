"""The reasons that staff give for decisions, with presets for a reveal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias
from unicodedata import east_asian_width

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from core.stored_texts import Stored, StoredText, declare, from_staff

from .too_long import length_problem

MAX_REASON_LENGTH: Final = 200
OTHER: Final = "other"
"""The choice with a text field."""
SHORTEST_REASON: Final = 5
"""Letters. A Chinese character counts as three."""

Presets: TypeAlias = Mapping[str, StoredText]
"""Reasons to choose from, by their value in the form."""

REVEAL_REASONS: Final[Presets] = {
    "customer": declare("reveal.customer", pgettext_lazy("reveal", "Customer request")),
    "complaint": declare("reveal.complaint", pgettext_lazy("reveal", "Complaint")),
    "provider": declare("reveal.provider", pgettext_lazy("reveal", "Inquiry to the provider")),
    "check": declare("reveal.check", pgettext_lazy("reveal", "Internal check")),
}


def reason_from(request: HttpRequest, presets: Presets) -> Stored:
    """The chosen preset or the typed text, as it is stored.

    Empty if there is neither, or if the text is too short to say why, or too long: then
    `reason_problem` has the words.
    """
    chosen = request.POST.get("reason", "")
    if chosen in presets:
        return presets[chosen].store()
    other = _other(request)
    if length_problem(other, MAX_REASON_LENGTH):
        return Stored("")
    typed = typed_reason(other)
    return typed if says_something(typed) else Stored("")


def reason_problem(request: HttpRequest, otherwise: str | Promise) -> str:
    """Why `reason_from` took no reason: it is too long, or `otherwise`."""
    too_long = length_problem(_other(request), MAX_REASON_LENGTH)
    return too_long if too_long and request.POST.get("reason", "") == OTHER else str(otherwise)


def _other(request: HttpRequest) -> str:
    return request.POST.get("other", "").replace("\x00", "").strip()


def says_something(text: str) -> bool:
    """Whether a text has five letters, or two Chinese characters, that are not all the same."""
    letters = [character for character in text.casefold() if character.isalnum()]
    weight = sum(3 if east_asian_width(letter) == "W" else 1 for letter in letters)
    return weight >= SHORTEST_REASON and len(set(letters)) > 1


def typed_reason(text: str) -> Stored:
    """A reason that staff typed, without what no column can hold."""
    return Stored(from_staff(text.replace("\x00", "").strip())[:MAX_REASON_LENGTH])
