"""What staff do on the way: accounts, messages, codes, callbacks and failures."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from core.fields import StoredSecret
from messaging.admin.batch_forms import can_send_texts
from messaging.models import Message
from providers import accounts
from providers.callbacks import process
from providers.models import Account, Callback, Credential, Enquiry
from sandbox.server import Sandbox
from tests.canary.echo import Echo
from tests.canary.person import Person
from tests.canary.planted import (
    CODES,
    NEW_PASSWORD,
    OPTIONS,
    SECRETS,
    TEXT,
    TIMEOUT,
    WRONG_PASSWORD,
)
from tests.canary.portals import InProcessPortal, Portal
from tests.factories.accounts import NOWHERE
from tests.support.wait_until import wait_until


def account_values(provider: str, address: str, name: str) -> dict[str, object]:
    secrets = {f"secret_{key}": value for key, value in SECRETS[provider].items()}
    pace = {"per_second": "100", "per_minute": "6000", "in_flight": "4"}
    own = {"name": name, "base_url": address, "allowed_countries": "CN", "seen": "{}"}
    return {**own, **pace, **secrets, **OPTIONS[provider]}


def make_accounts(manager: Person, sandbox: Sandbox, echo: Echo) -> None:
    """Create three accounts for each provider. The form fails once before each is saved."""
    for provider in SECRETS:
        path = reverse("admin:providers_account_add") + f"?provider={provider}"
        for address, name in (
            (sandbox.base_url(provider), f"{provider} practice"),
            (echo.url, f"{provider} echo"),
            (NOWHERE, f"{provider} nowhere"),
        ):
            values = account_values(provider, address, name)
            failed = manager.send(path, {**values, "allowed_countries": ""})
            assert failed.status_code == 200
            manager.send(path, values)
    assert Account.objects.count() == 12
    for account in Account.objects.all():
        page = reverse("admin:providers_account_change", args=[account.public_id])
        values = account_values(account.provider, account.base_url, account.name)
        manager.send(page, {**values, "name": ""})
        manager.open(page)


def check_every_account(manager: Person) -> None:
    for account in Account.objects.all():
        path = reverse("admin:providers_account_check", args=[account.public_id])
        manager.send(path, {})
        manager.send(path, {"balance": "1"})
    wait_until(
        lambda: not Enquiry.objects.filter(state__in=("queued", "claimed")).exists(),
        at_most=TIMEOUT,
    )


def send_message(person: Person, account: Account, number: str, *, code: str = CODES[0]) -> None:
    """Send a text, or a code over an account that sends codes only."""
    if not can_send_texts(account):
        send_code(person, account, number, code=code)
        return
    page = person.open(reverse("admin:messaging_message_send") + f"?account={account.public_id}")
    token = re.search(r'name="form_token" value="([^"]+)"', page.text)
    values = {
        "account": account.public_id,
        "recipient": number,
        "form_token": token[1] if token else "",
        "text": TEXT,
        "sms_kind": "T",
        "sender_id": "HAORUI",
    }
    # A rejected form rightly holds what this person has just typed.
    own = reverse("admin:messaging_message_send")
    person.send(own, {**values, "recipient": "139"}, keep=False)
    answer = person.send(own, values)
    taken = "/change/" in answer.url or answer.status_code == 500
    assert taken, re.findall(r'class="note[^>]*>.*?</div>', answer.text, re.DOTALL)


def send_code(person: Person, account: Account, number: str, *, code: str) -> str:
    """Start a session with a typed code. Returns the address of its page, or of the form."""
    path = reverse("admin:otp_session_send")
    values = {
        "account": account.public_id,
        "recipient": number,
        "form_token": f"{account.pk}{number}",
        "sender_id": "HAORUI",
        "channel": "验证码通道1",
        "template": "2" if account.provider == "haosms" else "en",
        "maker": "typed",
        "typed": code,
        "minutes": "10",
    }
    answer = person.send(path, values)
    taken = "/change/" in answer.url or answer.status_code == 500
    assert taken, re.findall(r'class="note[^>]*>.*?</div>', answer.text, re.DOTALL)
    return str(answer.url)


def send_and_check_code(person: Person, account: Account, number: str, *, code: str) -> None:
    """Start a session with a typed code, then check a wrong code and the correct one."""
    page = send_code(person, account, number, code=code)
    assert "/change/" in page
    wait_until(all_settled, at_most=TIMEOUT)
    check = urlsplit(page).path.replace("/change/", "/check/")
    for serial, typed in enumerate(("000000", code)):
        person.send(check, {"code": typed, "form_token": f"{account.pk}{number}{serial}"})


def unpaused_accounts(kind: str) -> QuerySet[Account]:
    """Every account of this kind that sends messages, with its pause lifted."""
    found = Account.objects.filter(name__endswith=kind).exclude(provider="gosms")
    found.update(paused_at=None, pause_reason="", pause_words="")
    return found


def all_settled() -> bool:
    return not Message.objects.filter(state__in=("queued", "claimed", "sending")).exists()


def send_everything(operator: Person, sandbox: Sandbox, echo: Echo, modes: tuple[str, ...]) -> None:
    numbers = (f"139{serial:08}" for serial in range(12345678, 22345678, 1111))
    for account in unpaused_accounts("practice"):
        send_message(operator, account, next(numbers))
    wait_until(all_settled, at_most=TIMEOUT)
    for account in unpaused_accounts("practice").exclude(provider="otpservice"):
        send_and_check_code(operator, account, next(numbers), code=CODES[0])
    for fault in ("html_200", "json_truncated", "reset_after", "too_many_retry_after"):
        sandbox.faults.set(fault)
        account = Account.objects.get(name="haosms practice")
        send_message(operator, account, next(numbers), code=CODES[1])
        wait_until(lambda: not has_open_messages("practice"), at_most=TIMEOUT)
    for mode in modes:
        echo.mode = mode
        for account in unpaused_accounts("echo"):
            send_message(operator, account, next(numbers), code=CODES[1])
        wait_until(lambda: not has_open_messages("echo"), at_most=TIMEOUT)
        if mode in ("refusal", "page"):
            account = unpaused_accounts("echo").get(provider="haorui")
            send_and_check_code(operator, account, next(numbers), code=CODES[1])
            # The echo mode must not change while calls of this one are in flight.
            wait_until(lambda: not has_open_messages("echo"), at_most=TIMEOUT)
    for account in unpaused_accounts("nowhere"):
        send_message(operator, account, next(numbers))
    wait_until(all_settled_without_waits, at_most=TIMEOUT)


def all_settled_without_waits() -> bool:
    """Make pending retries due now, and say whether every message is settled."""
    pausing = Message.objects.filter(state="queued", not_before__gt=timezone.now())
    if pausing.exists():
        pausing.update(not_before=timezone.now())
    return all_settled()


def has_open_messages(kind: str) -> bool:
    states = ("queued", "claimed", "sending")
    return Message.objects.filter(account__name__endswith=kind, state__in=states).exists()


def spoil_stored_secret(manager: Person, operator: Person) -> None:
    """Store a secret that no key decrypts: neither the page nor a send may break."""
    account = Account.objects.get(name="haorui practice")
    stored = account.credentials.get(name="api_password")
    Credential.objects.filter(pk=stored.pk).update(value=StoredSecret("gAAAAA-not-a-token"))
    manager.open(reverse("admin:providers_account_change", args=[account.public_id]))
    Account.objects.filter(pk=account.pk).update(paused_at=None)
    send_message(operator, account, "13800138000")
    wait_until(all_settled, at_most=TIMEOUT)


def push_callbacks(portal: Portal, manager: Person) -> None:
    """Push reports with whole numbers to correct and wrong addresses; process one again."""
    account = Account.objects.get(name="haorui practice")
    message = Message.objects.filter(account=account).latest("pk")
    url = f"{portal.address}/callbacks/{account.callback_tokens.get().value.reveal()}"
    report = {"DLRStatus": "Delivered", "PhoneNumber": message.recipient.strip("+")}
    for uid in (message.reference, "f" * 32):
        assert requests.post(f"{url}/", json={**report, "uid": uid}, timeout=TIMEOUT).ok
    assert requests.put(f"{url}/", timeout=TIMEOUT).status_code == 405
    assert requests.post(f"{url}x/", json=report, timeout=TIMEOUT).status_code == 404
    wait_until(lambda: all_processed(portal), at_most=TIMEOUT)
    unmatched = Callback.objects.get(state="unmatched")
    manager.send(reverse("admin:providers_callback_again", args=[unmatched.public_id]), {})
    manager.send(reverse("admin:providers_account_test_address", args=[account.public_id]), {})


def all_processed(portal: Portal) -> bool:
    if isinstance(portal, InProcessPortal):
        process.process_due()
    return not Callback.objects.filter(state="received").exists()


def add_staff_and_change_passwords(chief: Person) -> None:
    add = reverse("admin:auth_user_add")
    chief.send(add, {"username": ""})
    chief.send(add, {"username": "somebody-new"})
    new = User.objects.get(username="somebody-new")
    page = reverse("admin:auth_user_password_change", args=[new.pk])
    chief.send(page, {}, keep=False)
    own = {"old_password": WRONG_PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": "x"}
    chief.send(reverse("admin:password_change"), own)


def settle_and_reveal(manager: Person) -> None:
    message = Message.objects.filter(state="unknown", kind="text").first()
    assert message is not None
    values = {"outcome": "sent", "reason": "console"}
    manager.send(reverse("admin:messaging_message_settle", args=[message.public_id]), values)
    reveal = reverse("admin:messaging_message_reveal", args=[message.public_id])
    shown = manager.send(reveal, {"reason": "check"}, keep=False)
    assert "CANARYTEXT" in shown.text


def fail_inside_portal(manager: Person, operator: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    """Raise errors of our own while secrets and codes are in use; needs the portal in process."""

    def fail(*arguments: object, **values: object) -> Any:
        raise RuntimeError("injected failure")

    with monkeypatch.context() as patch:
        patch.setattr(accounts, "create_account", fail)
        path = reverse("admin:providers_account_add") + "?provider=gosms"
        values = account_values("gosms", NOWHERE, "never made")
        assert manager.send(path, values).status_code == 500
    with monkeypatch.context() as patch:
        patch.setattr("messaging.queue_message.queue", fail)
        send_message(operator, Account.objects.get(name="haosms practice"), "13800138001")
    with monkeypatch.context() as patch:
        patch.setattr("messaging.engine.source.build_request", fail)
        send_message(operator, Account.objects.get(name="haosms practice"), "13800138002")
        wait_until(all_settled)
