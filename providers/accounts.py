"""Provider accounts: make one, keep its secrets, open its client, pause and resume it."""

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
from django.utils import timezone

from core.fields import UnreadableSecret
from core.redaction import storable
from core.secrets import Secret

from .gateway.call import Login
from .gateway.errors import GatewayError
from .gateway.http.address import AddressPolicy
from .models import Account, Allowance, CallbackToken, Credential, Lease


class NoClient(Exception):
    """The account's provider is not among the clients of this installation."""


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
    """Make an account with its secrets, its limits and its callback address.

    The values are taken as they are: the form has checked them.
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
    """Store the secrets that were entered; an empty one keeps what is stored.

    Returns the names of those that changed.
    """
    now = timezone.now()
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
    """What the account's client needs. Secrets stay encrypted until they are used."""
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


def opened_login_of(account: Account) -> Login:
    """The same, decrypted once for the many calls that the engine will make with it. A
    secret that cannot be decrypted stays closed, and fails where it is used."""
    login = login_of(account)
    return replace(login, credentials={n: _opened(s) for n, s in login.credentials.items()})


def _opened(secret: Secret) -> Secret:
    try:
        return Secret(secret.reveal())
    except UnreadableSecret:
        return secret


def address_policy() -> AddressPolicy:
    return AddressPolicy(
        allow_http=settings.ALLOW_HTTP_PROVIDERS, allow_private=settings.ALLOW_PRIVATE_PROVIDERS
    )


# --- callback address ------------------------------------------------------


callback_tokens_changed: Final = Signal()
"""In this process; the others look every few seconds."""


def digest_of(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8")).hexdigest()


def new_callback_token(account: Account) -> CallbackToken:
    """A further address for reports; the earlier ones go on working until revoked."""
    token = secrets.token_urlsafe(32)
    made = CallbackToken.objects.create(
        account=account, digest=digest_of(token), value=Secret(token)
    )
    callback_tokens_changed.send(CallbackToken)
    return made


def callback_url(account: Account) -> Secret | None:
    """Where the provider is to report to; None without a public address or a token."""
    # All of them, since the engine has them at hand.
    standing = [token for token in account.callback_tokens.all() if token.revoked_at is None]
    return url_of_token(max(standing, key=lambda token: token.pk)) if standing else None


def url_of_token(token: CallbackToken) -> Secret | None:
    if not settings.PUBLIC_ADDRESS:
        return None
    value = token.value
    return Secret(lambda: f"{settings.PUBLIC_ADDRESS}/callbacks/{value.reveal()}/")


OVERLAP: Final = timedelta(days=7)
"""Reports come for days to the address that went out with a message."""


def may_be_revoked_at(token: CallbackToken) -> datetime | None:
    """An address may be revoked so long after a newer one took its place; the newest never."""
    newer = CallbackToken.objects.filter(account=token.account_id, pk__gt=token.pk)
    replaced_at = newer.order_by("pk").values_list("created_at", flat=True).first()
    return replaced_at + OVERLAP if replaced_at else None


def revoke_callback_token(token: CallbackToken) -> bool:
    """End an old address. False: it is too early for that, or it was ended already."""
    now = timezone.now()
    allowed_from = may_be_revoked_at(token)
    if allowed_from is None or now < allowed_from:
        return False
    standing = CallbackToken.objects.filter(pk=token.pk, revoked_at=None)
    changed = standing.update(revoked_at=now)
    callback_tokens_changed.send(CallbackToken)
    return bool(changed)


# --- pausing ---------------------------------------------------------------

BY_HAND: Final = "by_hand"
"""A person paused the account; the words are theirs."""


REFUSED_IN_A_ROW: Final = "refused_in_a_row"
MOST_REFUSALS: Final = 10
"""Providers that answer with free text cannot be understood; so many in a row can."""


def note_refusal(account: Account, words: str) -> None:
    """Count one more refusal; the tenth in a row pauses the account, quoting the last."""
    Account.objects.filter(pk=account.pk).update(refusals=F("refusals") + 1)
    account.refresh_from_db(fields=("refusals",))
    if account.refusals >= MOST_REFUSALS:
        pause(account, REFUSED_IN_A_ROW, words)


def note_success(account: Account) -> None:
    if account.refusals:
        Account.objects.filter(pk=account.pk).update(refusals=0)
        account.refusals = 0


def pauses(account: Account, error: GatewayError) -> bool:
    """Whether this error stops the paid calls of the account.

    Documented refusals for the login or for money do, and phrases that staff listed.
    """
    if error.pauses_account:
        return True
    words = error.words.casefold()
    return bool(words) and any(phrase.casefold() in words for phrase in account.phrases)


def pause(account: Account, reason: str, words: str = "", by: User | None = None) -> bool:
    """Stop paid calls; reads, polls and callbacks go on. False if it was paused already. A
    person's pause takes the place of an automatic one, which a good check would end."""
    free = Q(paused_at=None)
    if reason == BY_HAND:
        free |= ~Q(pause_reason=BY_HAND)
    changed = Account.objects.filter(free, pk=account.pk).update(
        paused_at=timezone.now(), pause_reason=reason, pause_words=storable(words), paused_by=by
    )
    account.refresh_from_db(fields=("paused_at", "pause_reason", "pause_words", "paused_by"))
    return bool(changed)


def resume(account: Account) -> bool:
    changed = (
        Account.objects.filter(pk=account.pk)
        .exclude(paused_at=None)
        .update(paused_at=None, pause_reason="", pause_words="", paused_by=None, refusals=0)
    )
    account.refresh_from_db(fields=("paused_at", "pause_reason", "pause_words", "paused_by"))
    return bool(changed)
