"""Errors that answer one question: what happened out there?

Their texts are safe to store and to show: no URL, no credential, no code.
The provider's own words are kept apart in `words`.
"""

from __future__ import annotations

from typing import ClassVar

from .vocabulary import PAUSING, Outcome, Reason


class GatewayError(Exception):
    """A call that did not end in DONE."""

    outcome: ClassVar[Outcome]

    def __init__(
        self,
        reason: Reason,
        *,
        words: str = "",
        http_status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{self.outcome}: {reason}")
        self.reason = reason
        self.words = words
        """The provider's own words, redacted by the door, never translated."""
        self.http_status = http_status
        self.retry_after = retry_after
        """Seconds that the provider asked us to wait, if it did."""

    @property
    def pauses_account(self) -> bool:
        return self.reason in PAUSING


class NotDone(GatewayError):
    """Certainly nothing happened; the call may be repeated."""

    outcome = Outcome.NOT_DONE


class Refused(GatewayError):
    """The provider said no."""

    outcome = Outcome.REFUSED


class OutcomeUnknown(GatewayError):
    """It may have happened. A paid call that raised this is never repeated."""

    outcome = Outcome.UNKNOWN
