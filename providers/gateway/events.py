"""Callbacks from providers, and the events that we read from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .vocabulary import DeliveryState


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """A callback as it was stored, so that it can be parsed again later."""

    method: str
    query: str = field(repr=False)
    """The raw query string, undecoded."""
    body: bytes = field(repr=False)
    content_type: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """`reference` is our id and is matched first; `provider_id` is the provider's."""

    reference: str
    provider_id: str
    words: str
    """The provider's own status word and description."""
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)
    """All other fields of the report, as text."""


@dataclass(frozen=True, slots=True)
class DeliveryReported(Event):
    state: DeliveryState = DeliveryState.UNKNOWN_REPORT


@dataclass(frozen=True, slots=True)
class VerificationReported(Event):
    """Evidence only. It never verifies a code."""

    succeeded: bool = False


@dataclass(frozen=True, slots=True)
class Unrecognised(Event):
    """A report whose meaning is unclear. It changes nothing."""

    problem: str = ""
