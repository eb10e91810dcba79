"""Pages of callbacks: the list, one callback, permissions, addresses."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from core.admin.history import log_text
from messaging.models import Message
from providers import accounts
from providers.admin.callback_addresses import addresses_of
from providers.callbacks.health import health_of
from providers.models import Account, Callback, CallbackToken
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_staff, make_user
from tests.providers.callbacks.pushes import only_callback, process_received, push_json

pytestmark = pytest.mark.django_db

LIST = "admin:providers_callback_changelist"
NUMBER = "8613912345678"
TEXT = "Your code is 4711"


@pytest.fixture
def message() -> Message:
    return make_message(make_account("haorui"), state="submitted")


def push_and_process(message: Message, word: str = "Delivered", **more: str) -> Callback:
    push_json(
        message.account,
        {"uid": message.reference, "DLRStatus": word, "PhoneNumber": NUMBER, **more},
    )
    process_received()
    return Callback.objects.latest("pk")


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(make_staff(role))
    return client


def url_of(callback: Callback, name: str = "change") -> str:
    return reverse(f"admin:providers_callback_{name}", args=[callback.public_id])


def test_list_shows_the_report_and_its_subject(message: Message) -> None:
    push_and_process(message, "DELIVRD")
    text = signed_in("auditor").get(reverse(LIST)).content.decode()
    assert "Delivered (DELIVRD)" in text
    assert "message …5678" in text
    assert "Applied" in text


@pytest.mark.parametrize("state", ["unmatched", "unrecognised", "conflict"])
def test_each_tab_lists_its_state(state: str) -> None:
    account = make_account("haorui")
    Callback.objects.create(account=account, digest="1", method="POST", state=state)
    Callback.objects.create(account=account, digest="2", method="POST", state="applied")
    answer = signed_in("auditor").get(reverse(LIST), {"state": state})
    assert [row.state for row in answer.context["cl"].result_list] == [state]


@pytest.mark.parametrize("by", ["reference", "provider_id"])
def test_search_finds_callbacks_by_complete_id(message: Message, by: str) -> None:
    Message.objects.filter(pk=message.pk).update(provider_id="26471304")
    push_and_process(message)
    push_json(message.account, {"uid": "f" * 32, "DLRStatus": "Delivered"})
    identity = message.reference if by == "reference" else "26471304"
    answer = signed_in("auditor").get(reverse(LIST), {"q": identity})
    assert [row.subject for row in answer.context["cl"].result_list] == [f"message:{message.pk}"]


@pytest.mark.parametrize("query", ["139", NUMBER, "%", "x" * 10_000])
def test_search_does_not_reveal_numbers(message: Message, query: str) -> None:
    push_and_process(message)
    answer = signed_in("auditor").get(reverse(LIST), {"q": query})
    assert answer.status_code == 200
    assert not answer.context["cl"].result_list


def test_numbers_and_texts_of_a_raw_request_are_masked_for_every_role(message: Message) -> None:
    callback = push_and_process(message, Message=TEXT)
    for role in ("auditor", "manager"):
        client = signed_in(role)
        text = client.get(url_of(callback)).content.decode()
        assert message.reference in text
        assert NUMBER not in text
        assert TEXT not in text


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ('{"DestAddr": "8613912345678"}', "application/json"),
        ('{"ErrorDescription": "number 8613912345678 is absent"}', "application/json"),
        ("Phone-Number=%2B8613912345678", "application/x-www-form-urlencoded"),
        ("8613912345678 delivered", "text/plain"),
        ('{"receipt": "id:1 stat:DELIVRD text:8613912345678"}', "application/json"),
        ("id:1 stat:DELIVRD text:Your code is 4711", "text/plain"),
        ('{"sms_message": "Your code is 4711"}', "application/json"),
        ('--x\r\nContent-Disposition: form-data; name="to"\r\n\r\n8613912345678', "multipart/x"),
    ],
)
def test_numbers_and_texts_are_masked_in_every_format(
    message: Message, body: str, kind: str
) -> None:
    callback = Callback.objects.create(
        account=message.account,
        digest="1",
        method="POST",
        body=body.encode(),
        content_type=kind,
        words="number 8613912345678 is absent",
        state="unrecognised",
    )
    client = signed_in("auditor")
    shown = client.get(url_of(callback)).content.decode()
    shown += client.get(reverse(LIST)).content.decode()
    assert NUMBER not in shown
    assert "4711" not in shown


def test_viewer_sees_no_number_in_the_words_of_a_report(message: Message) -> None:
    push_and_process(message, "WEIRD number 8613912345678")
    url = reverse("admin:messaging_message_change", args=[message.public_id])
    assert NUMBER not in signed_in("viewer").get(url).content.decode()


def test_reveal_shows_the_raw_request_and_is_logged(message: Message) -> None:
    callback, client = push_and_process(message, Message=TEXT), signed_in("manager")
    answer = client.post(url_of(callback, "reveal"), {"reason": "complaint"})
    assert NUMBER in answer.content.decode()
    assert TEXT in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert log_text(LogEntry.objects.get()) == "Revealed: Complaint"


def test_reveal_without_a_reason_shows_nothing(message: Message) -> None:
    callback, client = push_and_process(message), signed_in("manager")
    answer = client.post(url_of(callback, "reveal"), {})
    assert NUMBER not in answer.content.decode()
    assert not LogEntry.objects.exists()


def test_markup_in_a_callback_is_escaped(message: Message) -> None:
    callback = push_and_process(message, Remarks="<script>alert(1)</script>\u202e")
    client = signed_in("manager")
    shown = client.get(url_of(callback)).content.decode()
    revealed = client.post(url_of(callback, "reveal"), {"other": "asked by phone"}).content.decode()
    assert "<script>alert" not in shown + revealed
    assert "&lt;script&gt;alert" in revealed


def test_single_callback_is_processed_again_at_once(message: Message) -> None:
    push_json(message.account, {"uid": "f" * 32, "DLRStatus": "Delivered"})
    process_received()
    callback, client = only_callback(), signed_in("manager")
    Message.objects.update(reference="f" * 32)
    answer = client.post(url_of(callback, "again"), follow=True)
    assert "State is now: Applied." in answer.content.decode()


def test_selected_callbacks_are_processed_again_by_the_queue(message: Message) -> None:
    push_json(message.account, {"uid": "f" * 32, "DLRStatus": "Delivered"})
    process_received()
    signed_in("manager").post(
        reverse(LIST), {"action": "process_again", "_selected_action": [only_callback().pk]}
    )
    assert only_callback().state == "received"


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_actions_without_permission_are_refused(message: Message, role: str) -> None:
    callback, client = push_and_process(message), signed_in(role)
    for name in ("again", "reveal"):
        assert client.post(url_of(callback, name), {"reason": "check"}).status_code == 403
    client.post(reverse(LIST), {"action": "process_again", "_selected_action": [callback.pk]})
    assert only_callback().state == "applied"


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("operator", 403), ("auditor", 200)])
def test_callbacks_require_their_permission(message: Message, role: str, status: int) -> None:
    callback, client = push_and_process(message), signed_in(role)
    assert client.get(reverse(LIST)).status_code == status
    assert client.get(url_of(callback)).status_code == status


def test_list_needs_a_constant_number_of_queries(message: Message) -> None:
    client, counts = signed_in("auditor"), []
    for rows in (3, 20):
        for number in range(rows):
            push_json(message.account, {"uid": "f" * 32, "DLRStatus": "Delivered", "n": number})
        process_received()
        with CaptureQueriesContext(connection) as captured:
            client.get(reverse(LIST))
        counts.append(len(captured))
    assert counts[1] <= counts[0]


# --- the page of the message ---------------------------------------------------------


def test_message_page_shows_every_report_and_the_contradiction(message: Message) -> None:
    push_and_process(message, "Delivered")
    push_and_process(message, "Failed")
    client = signed_in("manager")
    text = client.get(
        reverse("admin:messaging_message_change", args=[message.public_id])
    ).content.decode()
    assert "Reported “Delivered” first, then “Not delivered”." in text
    assert text.count("Report: ") == 2
    assert url_of(Callback.objects.earliest("pk")) in text


def test_report_that_contradicts_staff_shows_which_state_applies(message: Message) -> None:
    Message.objects.update(
        state="not_sent", settled_at=timezone.now() - timedelta(hours=1), settled_because="asked"
    )
    push_and_process(message)
    url = reverse("admin:messaging_message_change", args=[message.public_id])
    assert (
        "It says “Delivered” and takes precedence."
        in signed_in("manager").get(url).content.decode()
    )


# --- health ---------------------------------------------------------------------------------


def test_health_counts_waiting_due_and_missing_reports() -> None:
    account, now = make_account("haorui"), timezone.now()
    for hours, state in ((1, "submitted"), (80, "submitted"), (80, "delivered"), (80, "refused")):
        at = now - timedelta(hours=hours)
        make_message(account, state=state, answered_at=at, created_at=at)
    (health,) = health_of([account, make_account("haosms")])
    reports = health.missing_reports
    assert (reports.waiting, reports.due, reports.missing) == (1, 2, 1)
    assert health.missing_reports.share == 50


def test_quiet_account_with_waiting_messages_is_reported() -> None:
    account = make_account("haorui")
    since = timezone.now() - timedelta(hours=9, minutes=5)
    make_message(account, state="submitted", answered_at=since)
    text = signed_in("auditor").get(reverse(LIST)).content.decode()
    assert "No callback for 9 h; 1 message is waiting." in text


# --- addresses --------------------------------------------------------------------------------


def post_address(client: Client, account: Account, name: str, **fields: object) -> int:
    url = reverse(f"admin:providers_account_{name}", args=[account.public_id])
    return client.post(url, fields).status_code


def test_new_address_keeps_the_old_one_active() -> None:
    account = make_account("haorui")
    assert post_address(signed_in("manager"), account, "new_address") == 302
    facts = addresses_of(account, timezone.now())
    assert [each.is_newest for each in facts] == [True, False]
    assert not facts[1].is_revocable


def test_old_address_can_be_revoked_only_after_seven_days() -> None:
    account, client = make_account("haorui"), signed_in("manager")
    old = account.callback_tokens.get()
    accounts.new_callback_token(account)
    post_address(client, account, "revoke_address", token=old.pk)
    old.refresh_from_db()
    assert old.revoked_at is None
    week_ago = timezone.now() - timedelta(days=7, minutes=1)
    CallbackToken.objects.exclude(pk=old.pk).update(created_at=week_ago)
    post_address(client, account, "revoke_address", token=old.pk)
    old.refresh_from_db()
    assert old.revoked_at is not None


def test_newest_address_cannot_be_revoked() -> None:
    account = make_account("haorui")
    token = account.callback_tokens.get()
    post_address(signed_in("manager"), account, "revoke_address", token=token.pk)
    token.refresh_from_db()
    assert token.revoked_at is None


def test_address_of_another_account_cannot_be_revoked() -> None:
    account, other = make_account("haorui"), make_account("haorui")
    token = other.callback_tokens.get()
    status = post_address(signed_in("manager"), account, "revoke_address", token=token.pk)
    assert status == 404


@pytest.mark.parametrize("name", ["new_address", "revoke_address"])
def test_address_actions_without_permission_are_refused(name: str) -> None:
    account = make_account("haorui")
    client = Client()
    client.force_login(make_user("providers.view_account", "providers.check_account"))
    assert post_address(client, account, name) == 403


def test_invalid_network_is_refused_beside_its_field() -> None:
    account, client = make_account("haorui"), signed_in("manager")
    url = reverse("admin:providers_account_change", args=[account.public_id])
    form = client.get(url).context["form"]
    data = {field.name: field.value() or "" for field in form}
    data |= {"allowed_countries": ["CN"], "option_sender_ids": "HAORUI", "option_kind": "T"}
    answer = client.post(url, data | {"callback_networks": "198.51.100.0/24\nthe provider"})
    assert "“the provider” is not a network address." in answer.content.decode()
    client.post(url, data | {"callback_networks": "198.51.100.0/24"})
    account.refresh_from_db()
    assert account.networks == ["198.51.100.0/24"]


def test_undecodable_bytes_are_shown_escaped(message: Message) -> None:
    callback = Callback.objects.create(
        account=message.account, digest="1", method="POST", body=b"\xff\x00{"
    )
    client = signed_in("manager")
    assert client.get(url_of(callback)).status_code == 200
    assert (
        json.dumps("\\xff")[1:-1].replace("\\\\", "\\")
        in client.post(url_of(callback, "reveal"), {"other": "asked by phone"}).content.decode()
    )
