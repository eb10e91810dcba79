"""The audit log: who reads what of it, and how it is searched, filtered and exported."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.addresses import facts_of
from audit.models import ChainCheck, Seal
from audit.subject_kinds import KINDS, OF_ANYTHING
from core.act_sentences import described
from core.acts import record_act
from core.models import Act
from messaging.models import Message
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_staff
from tests.support.client_addresses import from_address
from tests.support.signed_in import browser_of

pytestmark = pytest.mark.django_db

LIST = "/audit/entry/"


def page(browser: Client, query: str = "") -> str:
    return browser.get(f"{LIST}{query}").content.decode()


@pytest.fixture
def auditor() -> Client:
    return browser_of(make_staff("auditor"))


def test_auditor_reads_sentences_with_reasons_and_addresses(auditor: Client) -> None:
    manager, message = make_staff("manager"), make_message()
    record_act("reveal", by=manager, subject=f"message:{message.pk}", reason="asked <b>by phone")
    with from_address("192.0.2.7"):
        record_act("sign_in", by=manager)
    shown = page(auditor)
    assert "Revealed what is masked:" in shown
    assert reverse("admin:messaging_message_change", args=[message.public_id]) in shown
    assert "asked &lt;b&gt;by phone" in shown
    assert "192.0.2.7" in shown
    entry = Act.objects.get(what="reveal")
    detail = auditor.get(f"{LIST}{entry.pk}/change/").content.decode()
    assert "asked &lt;b&gt;by phone" in detail
    assert "not yet sealed" in detail


def test_manager_reads_what_concerns_what_they_manage() -> None:
    manager, peer = make_staff("manager"), make_staff("manager")
    operator, account = make_staff("operator"), make_account()
    seen = [
        record_act("sign_in", by=operator),
        record_act("sign_in", by=manager),
        record_act("staff.link", by=peer, subject=f"user:{operator.pk}"),
        record_act("account.paused", by=peer, subject=f"account:{account.pk}"),
    ]
    hidden = [
        record_act("sign_in", by=peer),
        record_act("reveal", by=peer, subject="message:1"),
        record_act("export", by=peer, subject="batch:1"),
        record_act("staff.link", by=None, subject=f"user:{peer.pk}"),
        record_act("sign_in.fail", by=None, personal={"name": "x"}),
    ]
    browser = browser_of(manager)
    shown = page(browser, "?period=all")
    assert all(f"{LIST}{act.pk}/change/" in shown for act in seen)
    assert not any(f"{LIST}{act.pk}/change/" in shown for act in hidden)
    assert browser.get(f"{LIST}{hidden[0].pk}/change/").status_code == 404
    assert "Check the chain" not in shown
    exported = b"".join(browser.get(f"{LIST}export/?format=csv&period=all")).decode()
    assert exported.count("Signed in") == 2


def test_manager_reads_three_months_and_auditor_reads_all(auditor: Client) -> None:
    manager = make_staff("manager")
    old = Act.objects.create(what="sign_out", by=manager, at=timezone.now() - timedelta(days=93))
    young = Act.objects.create(what="sign_out", by=manager, at=timezone.now() - timedelta(days=91))
    theirs, all_of_them = page(browser_of(manager), "?period=all"), page(auditor, "?period=all")
    assert f"{LIST}{young.pk}/change/" in theirs
    assert f"{LIST}{old.pk}/change/" not in theirs
    assert f"{LIST}{old.pk}/change/" in all_of_them


def test_filters_narrow_by_area_subject_and_person(auditor: Client) -> None:
    mei, li = make_staff("manager"), make_staff("operator")
    revealed = record_act("reveal", by=mei, subject="message:1")
    sent = record_act("message.send", by=li, subject="message:1")
    paused = record_act("account.paused", by=mei, subject="account:1")

    def found(query: str) -> set[int]:
        shown = page(auditor, query)
        return {act.pk for act in (revealed, sent, paused) if f"{LIST}{act.pk}/change/" in shown}

    assert found("?area=reveal") == {revealed.pk}
    assert found("?area=reveal&area=account") == {revealed.pk, paused.pk}
    assert found("?subject=account:1") == {paused.pk}
    assert found(f"?by__id__exact={mei.pk}") == {revealed.pk, paused.pk}


def test_filter_finds_all_that_was_done_to_one_kind_of_thing(auditor: Client) -> None:
    acts = {
        what: record_act(what, by=None, subject=subject)
        for what, subject in (
            ("batch.started", "batch:1"),
            ("approval.grant", "batch:2"),
            ("changed", "account:1"),
            ("account.paused", "account:1"),
            ("cap.change", "user:1"),
            ("staff.link", "user:1"),
            ("retention.confirm", "retention:1"),
        )
    }

    def found(query: str) -> set[str]:
        shown = page(auditor, query)
        return {what for what, act in acts.items() if f"{LIST}{act.pk}/change/" in shown}

    assert found("?kind=batch") == {"batch.started", "approval.grant"}
    assert found("?kind=account") == {"changed", "account.paused"}
    assert found("?kind=limit&kind=setting") == {"cap.change", "retention.confirm"}
    assert found("?kind=person&area=staff") == {"staff.link"}


def test_every_act_is_among_one_kind_of_thing_or_told_apart_by_its_subject() -> None:
    things = {what.partition(".")[0] for what in described()}
    of_kinds = [thing for kind in KINDS for thing in kind.acts]
    assert things - set(of_kinds) == OF_ANYTHING
    assert len(of_kinds) == len(set(of_kinds))


def test_search_finds_reasons_people_and_ids(auditor: Client) -> None:
    mei, message = make_staff("manager"), make_message()
    by_reason = record_act("reveal", by=None, subject="message:0", reason="客户投诉 complaint 7")
    by_person = record_act("sign_in", by=mei)
    by_id = record_act("message.cancelled", by=None, subject=f"message:{message.pk}")

    def found(term: str) -> set[int]:
        shown = page(auditor, f"?q={term}")
        acts = (by_reason, by_person, by_id)
        return {act.pk for act in acts if f"{LIST}{act.pk}/change/" in shown}

    assert found("投诉") == {by_reason.pk}
    assert found(mei.username) == {by_person.pk}
    assert found(message.public_id) == {by_id.pk}
    with from_address("2001:db8::7"):
        by_address = record_act("export", by=None)
    assert f"{LIST}{by_address.pk}/change/" in page(auditor, "?q=2001:DB8:0::7")
    assert found("2001:db8::8") == set()


def test_export_holds_the_sentence_and_the_reason(auditor: Client) -> None:
    with from_address("192.0.2.7"):
        record_act("message.cancelled", by=None, subject="message:1", reason="=1+1")
    answer = auditor.get(f"{LIST}export/?format=csv&period=all")
    exported = b"".join(answer).decode()
    assert "Cancelled message:1" in exported
    assert "'=1+1" in exported
    assert "192.0.2.7" in exported
    assert Act.objects.filter(what="export", details__rows="audit.entry").exists()


def test_list_needs_the_same_queries_for_many_rows(auditor: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            page(auditor)
        return len(captured)

    mei = make_staff("manager")
    record_act("order.hand_over", by=mei, subject=f"user:{mei.pk}", to=mei.pk)
    few = queries()
    for _ in range(20):
        record_act("order.hand_over", by=mei, subject=f"user:{mei.pk}", to=mei.pk, reason="x")
    assert queries() == few


def test_state_of_the_chain_is_shown_and_needs_attention_when_broken(auditor: Client) -> None:
    assert "The chain has not been checked yet." in page(auditor)
    now = timezone.now()
    check = ChainCheck.objects.create(begun_at=now, ended_at=now)
    assert "The chain is unbroken up to entry 0." in page(auditor)
    check.breaks = [{"kind": "act_removed", "seal": 3, "act": None}]
    check.save()
    shown = page(auditor)
    assert "The chain is broken." in shown
    assert "An entry was removed below seal 3." in shown
    text = "The chain of the audit log is broken: entries were changed or removed."
    assert text in auditor.get("/").content.decode()
    assert text in browser_of(make_staff("manager")).get("/").content.decode()
    assert text not in browser_of(make_staff("operator")).get("/").content.decode()


def test_button_has_the_chain_checked(auditor: Client) -> None:
    auditor.post(f"{LIST}check/")
    auditor.post(f"{LIST}check/")
    assert ChainCheck.objects.count() == 1
    assert Act.objects.get().what == "audit.check"
    assert "A check is under way." in page(auditor)
    assert not Seal.objects.exists()


# --- what is recorded -------------------------------------------------------------------------


def inserts(captured: CaptureQueriesContext) -> list[str]:
    found = [str(one["sql"]) for one in captured.captured_queries]
    return [sql for sql in found if sql.startswith("INSERT") and "core_act" in sql]


def test_form_that_sends_adds_one_insert_for_its_act() -> None:
    operator, account = make_staff("operator"), make_account()
    values: dict[str, Any] = {
        "account": account.public_id,
        "recipient": "13912345678",
        "text": "Hello",
        "form_token": "one",
        "sms_kind": "T",
        "sender_id": "HAORUI",
    }
    with CaptureQueriesContext(connection) as captured:
        browser_of(operator).post(reverse("admin:messaging_message_send"), values)
    message = Message.objects.get()
    act = Act.objects.get(what="message.send")
    assert (act.by, act.subject) == (operator, f"message:{message.pk}")
    assert len(inserts(captured)) == 1


def test_act_on_many_messages_is_one_insert_for_all() -> None:
    manager = make_staff("manager")
    found = [make_message(recipient=f"+861391234567{n}") for n in range(5)]
    chosen = {"_selected_action": [one.pk for one in found], "action": "cancel_waiting"}
    with CaptureQueriesContext(connection) as captured:
        browser_of(manager).post(
            reverse("admin:messaging_message_changelist") + "?period=all",
            {**chosen, "confirmed": "1"},
        )
    acts = Act.objects.filter(what="message.cancelled", by=manager)
    assert set(acts.values_list("subject", flat=True)) == {f"message:{one.pk}" for one in found}
    assert len(inserts(captured)) == 1


def test_act_is_rolled_back_with_what_it_was_about(monkeypatch: pytest.MonkeyPatch) -> None:
    message = make_message()

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("core.admin.actions.record_acts", fail)
    browser = browser_of(make_staff("manager"))
    browser.raise_request_exception = False
    url = reverse("admin:messaging_message_cancel", args=[message.public_id])
    assert browser.post(url).status_code == 500
    message.refresh_from_db()
    assert message.state == "queued"


def test_account_change_names_the_fields_and_no_values() -> None:
    boss: User = make_staff("manager")
    account = make_account()
    url = reverse("admin:providers_account_pause", args=[account.public_id])
    browser_of(boss).post(url, {"reason": "Too many failures"})
    act = Act.objects.get(what="account.paused")
    assert (act.by, act.why, facts_of(act)) == (boss, "Too many failures", {})


def test_dashboard_shows_the_newest_acts(auditor: Client) -> None:
    record_act("reveal", by=None, subject="message:1", reason="Called us")
    record_act("sign_out", by=None)
    shown = auditor.get("/").content.decode()
    assert "Revealed what is masked: " in shown
    assert "Called us" in shown
    assert "Signed out" not in shown


def test_default_period_is_a_week(auditor: Client) -> None:
    old = Act.objects.create(what="sign_out", at=timezone.now() - timedelta(days=8))
    assert f"{LIST}{old.pk}/change/" not in page(auditor)
    assert f"{LIST}{old.pk}/change/" in page(auditor, "?period=all")
