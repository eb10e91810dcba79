"""Errors that answer one question: did the call take effect at the provider?

Their texts are safe to store and to show: they contain no URL, no credential and no code.
The provider's own words are kept separately in `words`.
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
        """The provider's own words, redacted by the transport, never translated."""
        self.http_status = http_status
        self.retry_after = retry_after
        """Seconds that the provider asked us to wait; None if it named none."""

    @property
    def pauses_account(self) -> bool:
        return self.reason in PAUSING


class NotDone(GatewayError):
    """Nothing happened, for certain. The call may be repeated."""

    outcome = Outcome.NOT_DONE


class Refused(GatewayError):
    """The provider refused the call."""

    outcome = Outcome.REFUSED


class OutcomeUnknown(GatewayError):
    """The call may have taken effect. A paid call that raised this is never repeated."""

    outcome = Outcome.UNKNOWN
