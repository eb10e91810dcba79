"""The callback addresses of an account, as managers see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max

from .. import accounts
from ..models import Account, Callback, CallbackToken


def _last_use_of(token: CallbackToken) -> datetime | None:
    """The last use, including repetitions and callbacks that are not processed yet."""
    newest = Callback.objects.filter(token=token).aggregate(at=Max("last_at"))["at"]
    known = [at for at in (newest, token.last_used_at) if at is not None]
    return max(known, default=None)


@dataclass(frozen=True, slots=True)
class AddressFacts:
    """Facts about one address. Messages are sent with the newest one."""

    token_id: int
    url: str
    created_at: datetime
    last_used_at: datetime | None
    is_newest: bool
    revocable_at: datetime | None
    is_revocable: bool


def addresses_of(account: Account, now: datetime) -> list[AddressFacts]:
    """The addresses that are not revoked, newest first."""
    active = account.callback_tokens.filter(revoked_at=None).order_by("-pk")
    facts = []
    for position, token in enumerate(active):
        url = accounts.url_of_token(token)
        revocable_at = accounts.revocable_from(token)
        facts.append(
            AddressFacts(
                token_id=token.pk,
                url=url.reveal() if url else "",
                created_at=token.created_at,
                last_used_at=_last_use_of(token),
                is_newest=position == 0,
                revocable_at=revocable_at,
                is_revocable=revocable_at is not None and revocable_at <= now,
            )
        )
    return facts
