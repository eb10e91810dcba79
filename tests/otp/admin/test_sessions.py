"""HTTP tests of the pages about codes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from messaging.models import Message
from otp.models import Attempt, Session
from tests.factories.accounts import make_account
from tests.factories.codes import (
    NUMBER,
    WRONG,
    end_send_gap,
    expire_session,
    make_sent_session,
    make_session,
)
from tests.factories.messages import CODE
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db

SEND = "admin:otp_session_send"


def page_of(session: Session, name: str = "change") -> str:
    return reverse(f"admin:otp_session_{name}", args=[session.public_id])


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(make_staff("operator"))
    return client


def fields(account: object, **changed: str) -> dict[str, str]:
    return {
        "account": account.public_id,  # type: ignore[attr-defined]
        "recipient": "139 1234 5678",
        "channel": "验证码通道1",
        "template": "2",
        "maker": "made",
        "length": "6",
        "minutes": "10",
        "form_token": "token",
        **changed,
    }


# --- sending ---------------------------------------------------------------------------


def test_form_starts_a_session_and_redirects_to_it(operator: Client) -> None:
    account = make_account("haosms")
    answer = operator.post(reverse(SEND), fields(account))
    session = Session.objects.get()
    assert answer.headers["Location"] == page_of(session)
    assert (session.recipient, session.minutes) == (NUMBER, 10)


def test_template_2_is_the_default(operator: Client) -> None:
    account = make_account("haosms")
    page = operator.get(reverse(SEND), {"account": account.public_id})
    assert page.context["form"]["template"].value() == "2"
    assert "XXXX, please enter and verify" in page.content.decode()


@pytest.mark.parametrize("typed", ["482913", "aB3", "1234567", "１２３４", "12 34"])
def test_typed_code_must_suit_the_provider(operator: Client, typed: str) -> None:
    account = make_account("haosms")
    operator.post(reverse(SEND), fields(account, maker="typed", typed=typed))
    assert Session.objects.exists() == (typed == "482913")


def test_own_text_must_contain_the_placeholder_once(operator: Client) -> None:
    account = make_account("haorui")
    data = fields(account, template="own", text="Hello", sender_id="HAORUI")
    assert "XXXX" in operator.post(reverse(SEND), data).content.decode()
    operator.post(reverse(SEND), {**data, "text": "Code XXXX of yours"})
    assert Message.objects.get().text == "Code •••••• of yours"


def test_submitting_the_form_twice_opens_the_same_session(operator: Client) -> None:
    account = make_account("haosms")
    operator.post(reverse(SEND), fields(account))
    answer = operator.post(reverse(SEND), fields(account), follow=True)
    assert "Nothing was sent twice" in answer.content.decode()
    assert Session.objects.count() == 1


def test_sending_over_an_open_code_needs_confirmation(operator: Client) -> None:
    session = make_sent_session()
    end_send_gap()
    data = fields(session.account)
    page = operator.post(reverse(SEND), data).content.decode()
    assert "Sending a new one makes it stop working" in page
    assert Session.objects.count() == 1
    operator.post(reverse(SEND), {**data, "confirmed": session.public_id})
    assert Session.objects.count() == 2


def test_sending_too_early_is_reported_in_the_form(operator: Client) -> None:
    session = make_sent_session()
    data = fields(session.account, confirmed=session.public_id)
    page = operator.post(reverse(SEND), data).content.decode()
    assert "The next code can be sent in" in page


def test_exhausted_daily_limit_is_reported_in_the_form(operator: Client, settings: object) -> None:
    settings.DAILY_LIMITS = {"codes": 0, "messages": 9, "orders": 9}  # type: ignore[attr-defined]
    page = operator.post(reverse(SEND), fields(make_account("haosms"))).content.decode()
    assert "Not sent: the cap on codes for you is 0." in page


def test_preview_shows_an_open_code(operator: Client) -> None:
    session = make_sent_session()
    url = reverse("admin:otp_session_preview")
    page = operator.post(url, {"account": session.account.public_id, "recipient": NUMBER})
    assert "5 tries" in page.content.decode()


def test_sms_form_links_to_the_code_form(operator: Client) -> None:
    account = make_account("haosms")
    page = operator.get(reverse("admin:messaging_message_send"), {"account": account.public_id})
    assert reverse(SEND) in page.content.decode()


# --- the session -------------------------------------------------------------------------


def check(client: Client, session: Session, code: str, **headers: str) -> str:
    data = {"code": code, "form_token": f"t{Attempt.objects.count()}"}
    answer = client.post(page_of(session, "check"), data, headers=headers)
    return answer.content.decode()


def test_wrong_code_shows_the_tries_left(operator: Client) -> None:
    session = make_sent_session()
    fragment = check(operator, session, WRONG, HX_Request="true")
    assert "Wrong code. 4 tries left." in fragment
    assert 'id="check-code"' not in fragment


def test_correct_code_replaces_the_field_with_the_end(operator: Client) -> None:
    session = make_sent_session()
    fragment = check(operator, session, CODE, HX_Request="true")
    assert 'id="desk"' in fragment
    assert "Verified at" in fragment
    assert "hx-get" not in fragment


def test_check_without_script_redirects_to_the_page(operator: Client) -> None:
    session = make_sent_session()
    assert check(operator, session, WRONG) == ""
    assert "Wrong code" in operator.get(page_of(session)).content.decode()


def test_page_of_an_expired_session_does_not_poll(operator: Client) -> None:
    session = expire_session(make_sent_session())
    page = operator.get(page_of(session)).content.decode()
    assert "Expired at" in page
    assert "data-live" not in page
    session.refresh_from_db()
    assert session.state == "expired"


def test_reported_success_is_shown_as_unconfirmed(operator: Client) -> None:
    session = make_sent_session()
    Session.objects.update(provider_says_verified_at=session.created_at)
    page = operator.get(page_of(session)).content.decode()
    assert (
        "The provider reports success, but the code was not checked in the portal. Not verified."
    ) in page


def test_page_without_a_try_left_suggests_a_new_code(operator: Client) -> None:
    session = make_sent_session(tries=5, state="check_unknown")
    page = operator.get(page_of(session)).content.decode()
    assert "All 5 tries have been used. It is not known" in page
    assert "Send a new code" in page
    assert 'id="check-code"' not in page


def test_other_routes_are_offered_with_their_texts(operator: Client) -> None:
    session = make_sent_session(make_account("haosms", options={"channels": ["one", "two"]}))
    make_account("haorui", name="Texts")
    make_account("haosms", name="Paused", paused_at=timezone.now())
    make_account("haosms", name="Elsewhere", options={"channels": []})
    routes = operator.get(page_of(session)).context["others"]
    assert [route.label for route in routes] == ["Texts", f"{session.account.name}, two"]
    assert all("••••••" in route.text for route in routes)


def test_no_page_shows_the_code(operator: Client) -> None:
    session = make_session()
    for url in (page_of(session), page_of(session, "live"), list_page()):
        assert CODE not in operator.get(url).content.decode()


def test_resend_within_a_minute_is_refused_with_an_explanation(operator: Client) -> None:
    session = make_sent_session()
    data = {"account": session.account.public_id, "form_token": "again"}
    page = operator.post(page_of(session, "again"), data, follow=True).content.decode()
    assert "The next code can be sent in" in page


def test_cancelling_reports_that_the_code_is_invalid(operator: Client) -> None:
    session = make_sent_session()
    page = operator.post(page_of(session, "cancel"), follow=True).content.decode()
    assert "The code no longer works." in page


# --- the list ------------------------------------------------------------------------------


def list_page() -> str:
    return reverse("admin:otp_session_changelist")


def test_figures_follow_the_filters(operator: Client) -> None:
    verified = make_sent_session(make_account("haorui"), recipient="13912345601")
    Session.objects.filter(pk=verified.pk).update(
        state="verified", verified_at=verified.sent_at, delivered_at=verified.sent_at
    )
    make_sent_session(make_account("haosms"), recipient="13912345602")
    total = operator.get(list_page()).context["funnel"]
    assert (total.sent, total.reported_on, total.delivered, total.verified) == (2, 1, 1, 1)
    filtered = operator.get(list_page(), {"shown": "verified"}).context["funnel"]
    assert (filtered.sent, filtered.verified_percent) == (1, 100)
    page = operator.get(reverse("admin:otp_session_figures")).content.decode()
    assert "not reported" in page
    assert "1 (100%)" in page


def test_list_starts_with_today_and_a_notice(operator: Client) -> None:
    old = make_sent_session(recipient="13912345601")
    Session.objects.update(created_at=timezone.now() - timedelta(days=1))
    new = make_sent_session(recipient="13912345602")
    first = operator.get(list_page())
    assert list(first.context["cl"].queryset) == [new]
    assert "<strong>Today: sent 1</strong>" in first.content.decode()
    (chip,) = first.context["cl"].chips
    assert chip.text == "Today"
    everything = operator.get(list_page() + chip.url)
    assert list(everything.context["cl"].queryset) == [new, old]
    assert operator.get(reverse("admin:otp_session_figures")).context["funnel"].sent == 1
    assert operator.get(list_page(), {"shown": "sent"}).context["funnel"].sent == 2


def test_changes_return_updated_cells_and_the_number_of_newer_rows(operator: Client) -> None:
    session = make_sent_session(recipient="13912345601")
    make_sent_session(recipient="13912345602")
    Session.objects.filter(pk=session.pk).update(state="verified", tries=2)
    url = reverse("admin:otp_session_changes")
    changes = operator.get(url, headers={"X-Rows": session.public_id}).json()
    assert "Verified" in changes["rows"][session.public_id]["state_"]
    assert changes["rows"][session.public_id]["tries"] == "2"
    assert changes["newer"] == "Show 1 new"
    assert not operator.get(url, {"shown": "verified"}, headers={"X-Rows": "x"}).json()["newer"]


def test_numbers_are_masked_for_users_other_than_the_sender(operator: Client) -> None:
    session = make_sent_session()
    for url in (list_page(), page_of(session)):
        page = operator.get(url).content.decode()
        assert "1234 5678" not in page
        assert "12345678" not in page


def test_search_finds_sessions_by_whole_number_and_opens_them_by_id(operator: Client) -> None:
    session = make_sent_session()
    found = operator.get(list_page(), {"q": "+86 139-1234-5678"}).context["cl"]
    assert list(found.queryset) == [session]
    reference = Message.objects.get().reference
    assert operator.get(list_page(), {"q": reference}).headers["Location"] == page_of(session)


def test_export_contains_the_filtered_list_with_masked_numbers(client: Client) -> None:
    client.force_login(make_user("otp.view_session", "otp.export_session"))
    make_sent_session()
    answer = client.get(reverse("admin:otp_session_export"), {"shown": "sent"})
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert "Waiting for the code" in text
    assert "5678" in text
    assert "12345678" not in text


# --- permissions ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["check", "again", "cancel", "reveal"])
def test_viewer_actions_are_forbidden(client: Client, name: str) -> None:
    client.force_login(make_staff("viewer"))
    session = make_sent_session()
    answer = client.post(page_of(session, name), {"code": CODE, "form_token": "x"})
    assert answer.status_code == 403
    session.refresh_from_db()
    assert (session.state, session.tries) == ("sent", 0)


@pytest.mark.parametrize(
    ("name", "permission"),
    [
        ("check", "otp.check_code"),
        ("again", "otp.send_code"),
        ("cancel", "otp.cancel_code"),
        ("reveal", "messaging.reveal_message"),
    ],
)
def test_actions_require_permission_to_view_the_session(
    client: Client, name: str, permission: str
) -> None:
    client.force_login(make_user(permission))
    session = make_sent_session()
    data = {"code": CODE, "form_token": "x", "reason": "customer"}
    assert client.post(page_of(session, name), data).status_code == 403


@pytest.mark.parametrize("name", ["send", "preview", "figures", "export", "changes", "changelist"])
def test_pages_require_a_permission(client: Client, name: str) -> None:
    client.force_login(make_user())
    url = reverse(f"admin:otp_session_{name}")
    assert (client.post(url) if name == "preview" else client.get(url)).status_code == 403


def test_reveal_shows_the_whole_number(client: Client) -> None:
    client.force_login(make_staff("manager"))
    session = make_sent_session()
    answer = client.post(page_of(session, "reveal"), {"reason": "customer"})
    assert "1234 5678" in answer.content.decode()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            "en",
            "Not checked, and no try was used: the code has 6 digits. Enter the code alone.",
        ),
        ("zh-hans", "未核对，未占用尝试次数：验证码为 6 位数字。请只填写验证码。"),
    ],
)
def test_what_cannot_be_the_code_is_said_beside_the_field(
    operator: Client, language: str, words: str
) -> None:
    session = make_sent_session()
    operator.cookies["django_language"] = language
    headers = {"HX-Request": "true", "Accept-Language": language}
    assert words in check(operator, session, "Your code is 12345", **headers)
    assert not Attempt.objects.exists()


@pytest.mark.parametrize(("typed", "words"), [("482913", "6 digits"), ("Ab3Xy9", "6 characters")])
def test_page_says_digits_only_of_a_code_of_digits(
    operator: Client, typed: str, words: str
) -> None:
    session = make_sent_session(typed=typed)
    assert f"the code has {words}" in operator.get(page_of(session)).content.decode()
    assert f"the code has {words}. Enter" in check(
        operator, session, "It is 12345", **{"HX-Request": "true"}
    )
