"""Kinds of reasons that are treated alike."""

from __future__ import annotations

from .vocabulary import REDIRECTS, Reason

NOT_CONNECTED = frozenset(
    {
        Reason.UNREACHABLE,
        Reason.NAME_NOT_FOUND,
        Reason.CONNECTION_REFUSED,
        Reason.CONNECT_TIMED_OUT,
        Reason.CONNECTION_RESET,
        Reason.NO_ROUTE,
        Reason.NO_TLS,
        Reason.TLS_FAILED,
        Reason.CERT_EXPIRED,
        Reason.CERT_NOT_YET_VALID,
        Reason.CERT_OTHER_HOST,
        Reason.CERT_SELF_SIGNED,
        Reason.CERT_UNKNOWN_ISSUER,
        Reason.CERT_INVALID,
    }
)
"""No connection was made, so nothing was sent. Repeated like any such call."""
DETAILED = REDIRECTS | frozenset(
    {Reason.CERT_EXPIRED, Reason.CERT_OTHER_HOST, Reason.CERT_NOT_YET_VALID}
)
"""Reasons whose `words` are a fact for the sentence (a date, names, a host), not a message of the
provider."""
