"""Provider accounts: creation, secrets, callback addresses, pausing and resuming."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, Q
from django.dispatch import Signal

from core.fields import UnreadableSecret
from core.redaction import storable
from core.secrets import Secret

from . import clock
from .gateway.call import Login
from .gateway.errors import GatewayError
from .gateway.http.address import AddressPolicy
from .gateway.vocabulary import Reason
from .models import Account, AccountPause, Allowance, CallbackToken, Credential, Lease


class NoClient(Exception):
    """This installation has no client for the account's provider."""


@transaction.atomic
def create_account(
    *,
    name: str,
    provider: str,
    base_url: str,
    credentials: Mapping[str, str],
    options: Mapping[str, object] | None = None,
    **fields: Any,
) -> Account:
    """Create an account with its secrets, rate limits, lease and callback address.

    The values are not validated here; the form does that.
    """
    account = Account.objects.create(
        name=name, provider=provider, base_url=base_url, options=dict(options or {}), **fields
    )
    Allowance.objects.create(account=account)
    Lease.objects.create(account=account)
    save_credentials(account, credentials)
    new_callback_token(account)
    return account


def save_credentials(account: Account, credentials: Mapping[str, str]) -> list[str]:
    """Store the secrets that are not empty; an empty one keeps the stored value.

    Returns the names of the stored ones.
    """
    now = clock.now()
    entered = [
        Credential(account=account, name=name, value=Secret(value), saved_at=now)
        for name, value in credentials.items()
        if value
    ]
    Credential.objects.bulk_create(
        entered,
        update_conflicts=True,
        unique_fields=["account", "name"],
        update_fields=["value", "saved_at"],
    )
    return sorted(credential.name for credential in entered)


def login_of(account: Account) -> Login:
    """The settings and secrets for the account's client. Secrets stay encrypted until used.

    :raises NoClient: if there is no client for the provider.
    """
    client = account.client
    if client is None:
        raise NoClient(account.provider)
    stored = {credential.name: credential.value for credential in account.credentials.all()}
    return Login(
        base_url=account.base_url,
        credentials={
            field.name: stored.get(field.name) or Secret("") for field in client.credential_fields
        },
        options={
            field.name: account.options.get(field.name, field.default)
            for field in client.option_fields
        },
    )


def decrypted_login_of(account: Account) -> Login:
    """Like `login_of`, with the secrets decrypted once for the many calls of the engine.

    A secret that cannot be decrypted stays encrypted and fails when it is used.
    """
    login = login_of(account)
    return replace(login, credentials={n: _decrypted(s) for n, s in login.credentials.items()})


def _decrypted(secret: Secret) -> Secret:
    try:
        return Secret(secret.reveal())
    except UnreadableSecret:
        return secret


def address_policy() -> AddressPolicy:
    return AddressPolicy(
        allow_http=settings.ALLOW_HTTP_PROVIDERS, allow_private=settings.ALLOW_PRIVATE_PROVIDERS
    )


# --- callback addresses ----------------------------------------------------


callback_tokens_changed: Final = Signal()
"""Sent within this process only; other processes reload the tokens every few seconds."""


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8")).hexdigest()


def new_callback_token(account: Account) -> CallbackToken:
    """Create another callback address; earlier ones keep working until they are revoked."""
    token = secrets.token_urlsafe(32)
    created = CallbackToken.objects.create(
        account=account, digest=digest_of(token), value=Secret(token)
    )
    callback_tokens_changed.send(CallbackToken)
    return created


def callback_url(account: Account) -> Secret | None:
    """The newest callback address; None without a public address of the portal or a token."""
    # Filtered here and not by a query, since the engine has prefetched all tokens.
    active = [token for token in account.callback_tokens.all() if token.revoked_at is None]
    return url_of_token(max(active, key=lambda token: token.pk)) if active else None


def url_of_token(token: CallbackToken) -> Secret | None:
    if not settings.PUBLIC_ADDRESS:
        return None
    value = token.value
    return Secret(lambda: f"{settings.PUBLIC_ADDRESS}/callbacks/{value.reveal()}/")


OVERLAP: Final = timedelta(days=7)
"""For days, reports arrive at the address that was sent with the message."""


def revocable_from(token: CallbackToken) -> datetime | None:
    """When this address may be revoked: `OVERLAP` after the next newer one was created.

    None for the newest address, which may never be revoked.
    """
    newer = CallbackToken.objects.filter(account=token.account_id, pk__gt=token.pk)
    replaced_at = newer.order_by("pk").values_list("created_at", flat=True).first()
    return replaced_at + OVERLAP if replaced_at else None


def revoke_callback_token(token: CallbackToken) -> bool:
    """Revoke an old address. False if that is too early or was already done."""
    now = clock.now()
    allowed_from = revocable_from(token)
    if allowed_from is None or now < allowed_from:
        return False
    active = CallbackToken.objects.filter(pk=token.pk, revoked_at=None)
    changed = active.update(revoked_at=now)
    callback_tokens_changed.send(CallbackToken)
    return bool(changed)


# --- pausing ---------------------------------------------------------------

BY_HAND: Final = "by_hand"
"""The pause reason if a person paused the account. `pause_words` is their explanation."""
REFUSED_IN_A_ROW: Final = "refused_in_a_row"
MAX_REFUSALS: Final = 10
"""A refusal in free text cannot be interpreted, but this many in a row mean that something is wrong
with the account."""


def record_refusal(account: Account, words: str, reason: str = "") -> None:
    """Count a refusal. The tenth in a row pauses the account with the words of the last one.

    If nothing answers under its address, that is the reason of the pause.
    """
    Account.objects.filter(pk=account.pk).update(refusals=F("refusals") + 1)
    account.refresh_from_db(fields=("refusals",))
    if account.refusals >= MAX_REFUSALS:
        wrong_address = reason == Reason.NOTHING_THERE
        pause(account, reason if wrong_address else REFUSED_IN_A_ROW, words)


def record_success(account: Account) -> None:
    if account.refusals:
        Account.objects.filter(pk=account.pk).update(refusals=0)
        account.refusals = 0


def should_pause(account: Account, error: GatewayError) -> bool:
    """Whether this error must pause the account: a documented refusal because of the login or the
    balance, or any error whose words contain a phrase that staff entered."""
    if error.pauses_account:
        return True
    words = error.words.casefold()
    return bool(words) and any(phrase.casefold() in words for phrase in account.phrases)


def pause(account: Account, reason: str, words: str = "", by: User | None = None) -> bool:
    """Stop paid calls; free calls and callbacks continue. False if already paused.

    A pause by a person replaces an automatic one, because a successful check ends the latter.
    """
    replaceable = Q(paused_at=None)
    if reason == BY_HAND:
        replaceable |= ~Q(pause_reason=BY_HAND)
    now = clock.now()
    with transaction.atomic():
        changed = Account.objects.filter(replaceable, pk=account.pk).update(
            paused_at=now, pause_reason=reason, pause_words=storable(words), paused_by=by
        )
        if changed:
            _end_pauses(account, now, by)
            AccountPause.objects.create(
                account=account, reason=reason, started_at=now, paused_by=by
            )
    account.refresh_from_db(fields=("paused_at", "pause_reason", "pause_words", "paused_by"))
    return bool(changed)


def resume(account: Account, by: User | None = None) -> bool:
    """End a pause. False if the account was not paused."""
    with transaction.atomic():
        changed = (
            Account.objects.filter(pk=account.pk)
            .exclude(paused_at=None)
            .update(paused_at=None, pause_reason="", pause_words="", paused_by=None, refusals=0)
        )
        if changed:
            _end_pauses(account, clock.now(), by)
    account.refresh_from_db(fields=("paused_at", "pause_reason", "pause_words", "paused_by"))
    return bool(changed)


def _end_pauses(account: Account, now: datetime, by: User | None) -> None:
    AccountPause.objects.filter(account=account, ended_at=None).update(ended_at=now, resumed_by=by)


PAUSE_DELAY: Final = timedelta(minutes=1)
"""A failure is recorded shortly before the pause that it leads to."""


def pause_at(account: Account, moment: datetime) -> AccountPause | None:
    """The pause during which something failed at `moment`, or else the one that this led to."""
    pauses = AccountPause.objects.filter(account=account, started_at__lte=moment + PAUSE_DELAY)
    return pauses.filter(Q(ended_at=None) | Q(ended_at__gte=moment)).order_by("started_at").first()
