"""Forms with any text: a page with errors or a redirect, never a fault. What was typed is kept."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from providers.models import Account
from tests.factories.accounts import make_account
from tests.factories.codes import make_sent_session
from tests.factories.staff import make_staff

from .examples import rolled_back, search, texts

pytestmark = [pytest.mark.django_db, pytest.mark.any_database, pytest.mark.fuzz]
TYPED = {
    "messaging_message_send": ("recipient", "text", "code", "sender_id", "channel", "template"),
    "messaging_batch_new": ("text", "pasted", "sender_id", "sms_kind"),
    "otp_session_send": ("recipient", "text", "typed", "template", "minutes", "length", "maker"),
    "rentals_order_rent": ("project", "region", "count", "cancel_after", "keep_trying"),
}
GOOD = {
    "recipient": "139 1234 5678",
    "text": "Code XXXX",
    "sms_kind": "T",
    "sender_id": "HAORUI",
    "channel": "验证码通道1",
    "template": "2",
    "code": "482913",
    "typed": "482913",
    "maker": "typed",
    "length": "6",
    "minutes": "10",
    "pasted": "13912345678",
    "project": "whatsapp",
    "region": "ID",
    "count": "1",
    "without_sms": "wait",
}
ALWAYS = ("form_token", "confirmed", "account", "like", "without_sms", "fallback")
ACTIONS = ("otp_session_check", "otp_session_again", "otp_session_cancel", "otp_session_reveal")


@pytest.fixture
def accounts(db: None) -> list[Account]:
    return [make_account(key) for key in ("haorui", "haosms", "otpservice", "gosms")]


@pytest.fixture
def manager(db: None) -> Client:
    browser = Client()
    browser.force_login(make_staff("manager"))
    return browser


@search
@given(data=st.data())
def test_any_typed_text_gives_a_page_or_a_redirect_and_is_kept(
    data: st.DataObject, manager: Client, accounts: list[Account]
) -> None:
    page = data.draw(st.sampled_from(sorted(TYPED)))
    account = data.draw(st.sampled_from(accounts))
    form: dict[str, Any] = {"form_token": "one", "account": account.public_id, **GOOD}
    wrong = data.draw(st.dictionaries(st.sampled_from((*TYPED[page], *ALWAYS)), texts, max_size=4))
    form |= wrong
    for name in data.draw(st.sets(st.sampled_from(sorted(form)), max_size=2)):
        del form[name]
    with rolled_back():
        answer = manager.post(reverse(f"admin:{page}"), form)
        assert answer.status_code in (200, 302)
        if answer.status_code == 200 and "form" in (answer.context or {}):
            _assert_kept(answer.context["form"], form)


def _assert_kept(shown: Any, form: dict[str, Any]) -> None:
    """Each text field shows what was typed, numbers in ASCII. A choice shows one of its choices."""
    for name in ("recipient", "text", "pasted", "typed", "code", "count"):
        if name in form and name in shown.fields and not hasattr(shown.fields[name], "choices"):
            value = shown[name].value()
            is_same_number = value.isdecimal() and int(value) == int(form[name])
            assert value == form[name] or is_same_number


@search
@given(query=st.dictionaries(st.sampled_from(("account", "like", "count", "project")), texts))
def test_any_query_opens_a_form(
    query: dict[str, str], manager: Client, accounts: list[Account]
) -> None:
    for page in TYPED:
        assert manager.get(reverse(f"admin:{page}"), query).status_code in (200, 302)


@search
@given(action=st.sampled_from(ACTIONS), data=st.data())
def test_any_text_posted_to_a_session_gives_an_answer(
    action: str, data: st.DataObject, manager: Client, accounts: list[Account]
) -> None:
    names = st.sampled_from(("code", "form_token", "account", "reason", "other"))
    form = data.draw(st.dictionaries(names, texts))
    with rolled_back():
        session = make_sent_session(accounts[1])
        address = reverse(f"admin:{action}", args=[session.public_id])
        assert manager.post(address, form).status_code in (200, 302, 404)
