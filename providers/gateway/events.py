"""What providers tell us of their own accord, in our words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .vocabulary import DeliveryState


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """A callback as it was stored, so that it can be understood again later."""

    method: str
    query: str = field(repr=False)
    """The raw query string, undecoded."""
    body: bytes = field(repr=False)
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """`reference` is ours and is matched first; `provider_id` is theirs."""

    reference: str
    provider_id: str
    words: str
    """The provider's own status word and description."""
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Everything else that was said, as text."""


@dataclass(frozen=True, slots=True)
class DeliveryReported(Event):
    state: DeliveryState = DeliveryState.UNKNOWN_REPORT


@dataclass(frozen=True, slots=True)
class VerificationReported(Event):
    """Evidence only: it never verifies a code."""

    succeeded: bool = False


@dataclass(frozen=True, slots=True)
class Unrecognised(Event):
    """Understood as a report, but not what it says. Nothing is changed by it."""

    problem: str = ""
