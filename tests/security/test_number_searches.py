"""Searches for numbers are no oracle for people who see numbers masked."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit import triggers
from core.models import Act, NumberSearch
from core.phones import searches as number_searches
from core.phones.searches import MOST, MOST_ALIKE, allow_search
from messaging import do_not_send
from messaging.models import DoNotSend, Message
from otp.models import Session
from rentals.models import Order
from tests.factories.accounts import make_account
from tests.factories.codes import make_sent_session
from tests.factories.messages import make_message
from tests.factories.orders import make_rented
from tests.factories.staff import make_staff, make_user
from tests.support.signed_in import browser_of

pytestmark = pytest.mark.django_db

NUMBER = "+8613912345678"


def lookalikes(count: int = MOST_ALIKE) -> list[str]:
    """Numbers that look like NUMBER when they are masked."""
    return [f"+86139{middle:04}5678" for middle in range(count)]


# --- counting ---------------------------------------------------------------------------


def test_numbers_that_look_alike_are_limited() -> None:
    by = make_user()
    allowed = [allow_search(number, by, where="x") for number in lookalikes(MOST_ALIKE + 2)]
    assert allowed == [True] * MOST_ALIKE + [False] * 2


def test_same_number_is_free() -> None:
    by = make_user()
    assert all(allow_search(NUMBER, by, where="x") for _ in range(MOST_ALIKE + 5))


def test_call_desk_asks_for_many_numbers() -> None:
    by = make_user()
    assert all(allow_search(f"+86139{last:08}", by, where="x") for last in range(100))


def test_all_numbers_together_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    by = make_user()
    now = timezone.now()
    NumberSearch.objects.bulk_create(
        NumberSearch(by=by, number=str(one), alike=str(one), at=now) for one in range(MOST)
    )
    assert not allow_search(NUMBER, by, where="x")
    assert allow_search(NUMBER, by, where="form", most=None)
    assert allow_search(NUMBER, make_user(), where="x")


def test_a_refused_search_does_not_prolong_the_wait() -> None:
    by = make_user()
    for number in lookalikes():
        allow_search(number, by, where="x")
    assert not allow_search(NUMBER, by, where="x")
    NumberSearch.objects.update(at=timezone.now() - number_searches.WITHIN)
    assert allow_search(NUMBER, by, where="x")
    assert NumberSearch.objects.count() == 1


def test_first_refusal_of_an_hour_is_recorded() -> None:
    by = make_user()
    for number in lookalikes(MOST_ALIKE + 3):
        allow_search(number, by, where="messaging.message")
    act = Act.objects.get(what="number_search.refuse")
    assert act.by == by
    assert act.details == {"where": "messaging.message", "alike": MOST_ALIKE}
    triggers.remove()
    Act.objects.update(at=timezone.now() - number_searches.WITHIN - timedelta(seconds=1))
    triggers.install()
    allow_search(NUMBER, by, where="messaging.message")
    assert Act.objects.count() == 2


def test_rows_hold_no_number() -> None:
    allow_search(NUMBER, make_user(), where="x")
    row = NumberSearch.objects.get()
    assert "5678" not in row.number + row.alike
    assert len(row.number) == 64


# --- lists: role × list -------------------------------------------------------------------

LISTS = {
    "messaging_message": Message,
    "otp_session": Session,
    "rentals_order": Order,
    "messaging_donotsend": DoNotSend,
}
REVEALERS = {"manager", "superuser"}


def make_rows() -> None:
    make_message(recipient=NUMBER)
    make_sent_session(recipient=NUMBER)
    make_rented(phone=NUMBER, region="CN")
    do_not_send.add(NUMBER, "asked", make_user())


def person(role: str) -> User:
    return make_user(is_superuser=True) if role == "superuser" else make_staff(role)


def found(browser: Client, name: str, term: str) -> bool:
    answer: Any = browser.get(reverse(f"admin:{name}_changelist"), {"q": term})
    return bool(answer.context_data["cl"].result_list)


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor", "manager", "superuser"])
@pytest.mark.parametrize("name", LISTS)
def test_search_answers_until_the_limit(role: str, name: str) -> None:
    make_rows()
    reader = person(role)
    browser = browser_of(reader)
    assert found(browser, name, NUMBER)
    for number in lookalikes():
        allow_search(number, reader, where=name)
    # What was looked up before stays free. A number that was not is refused, though it is there.
    assert found(browser, name, NUMBER)
    NumberSearch.objects.all().delete()
    found(browser, name, lookalikes()[0])
    for number in lookalikes():
        allow_search(number, reader, where=name)
    assert found(browser, name, NUMBER) is (role in REVEALERS)
    assert Act.objects.filter(what="number_search.refuse").exists() is (role not in REVEALERS)


def test_list_says_why_it_does_not_answer() -> None:
    browser = browser_of(make_staff("viewer"))
    url = reverse("admin:messaging_message_changelist")
    for number in lookalikes():
        browser.get(url, {"q": number})
    page = browser.get(url, {"q": NUMBER}).content.decode()
    assert "too many phone numbers that look alike" in page


def test_limit_is_one_for_all_lists() -> None:
    make_rows()
    browser = browser_of(make_staff("viewer"))
    names = list(LISTS)
    for index, number in enumerate(lookalikes()):
        found(browser, names[index % len(names)], number)
    assert [found(browser, name, NUMBER) for name in names] == [False] * len(names)


# --- forms ------------------------------------------------------------------------------


def test_preview_of_a_code_is_no_oracle_for_open_codes() -> None:
    account = make_account("haosms")
    make_sent_session(account, recipient=NUMBER)
    browser = browser_of(make_staff("operator"))
    url = reverse("admin:otp_session_preview")
    for number in lookalikes():
        page = browser.post(url, {"account": account.public_id, "recipient": number})
        assert "still active" not in page.content.decode()
    page = browser.post(url, {"account": account.public_id, "recipient": NUMBER})
    assert "still active" not in page.content.decode()
    assert "too many phone numbers that look alike" in page.content.decode()


@pytest.mark.parametrize("page", ["preview", "send"])
def test_form_is_no_oracle_for_the_do_not_send_list(page: str) -> None:
    account = make_account()
    do_not_send.add(NUMBER, "asked", make_user())
    browser = browser_of(make_staff("operator"))
    fields = {"account": account.public_id, "text": "x", "form_token": "t", "sms_kind": "T"}
    url = reverse(f"admin:messaging_message_{page}")
    listed = "on the do-not-send list"
    first = browser.post(url, {**fields, "recipient": "+8613999995678"}).content.decode()
    assert listed not in first
    for number in lookalikes(MOST_ALIKE - 1):
        allow_search(number, User.objects.get(groups__name="operator"), where="x")
    refused = browser.post(url, {**fields, "recipient": NUMBER}).content.decode()
    assert listed not in refused
    assert "too many phone numbers that look alike" in refused


def test_manager_is_not_limited_in_forms() -> None:
    account = make_account()
    do_not_send.add(NUMBER, "asked", make_user())
    browser = browser_of(make_staff("manager"))
    url = reverse("admin:messaging_message_preview")
    for number in [*lookalikes(), NUMBER]:
        page = browser.post(url, {"account": account.public_id, "recipient": number, "text": ""})
    assert "on the do-not-send list" in page.content.decode()


# --- the alarm filter -----------------------------------------------------------------------


@pytest.mark.parametrize(("role", "rows"), [("operator", 0), ("manager", 2)])
def test_alarm_filter_does_not_compare_hidden_digits(role: str, rows: int) -> None:
    example = make_sent_session(recipient="+8613912340001")
    make_sent_session(recipient="+8613912340002")
    make_sent_session(recipient="+8613999990002")
    browser = browser_of(make_staff(role))
    url = reverse("admin:otp_session_changelist")
    answer: Any = browser.get(url, {"alarm": f"burst-range_of-{example.public_id}"})
    assert len(answer.context_data["cl"].result_list) == rows
