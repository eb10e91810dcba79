"""What an approval is bound to: a digest of all that was shown."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal

from .kinds import Proposal


def digest_of(proposal: Proposal) -> str:
    """SHA-256 over everything that the person who decides is shown.

    Whoever changes the text, the recipients, the account, the kind, the time, or the price changes
    the digest, so that the approval no longer applies.
    """
    shown = {
        "kind": proposal.kind,
        "subject": proposal.subject,
        "account": proposal.account.pk,
        "count": proposal.size.count,
        "cost": _written(proposal.size.cost),
        "starts_at": proposal.starts_at.timestamp() if proposal.starts_at else None,
        "facts": {name: _written(value) for name, value in proposal.facts.items()},
    }
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()


def _written(value: object) -> object:
    """The value in one way of writing: the database returns 0.05 as 0.0500."""
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    return value if value is None or isinstance(value, int | bool) else str(value)
