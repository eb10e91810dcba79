"""The same text or another code to the same number is found as a duplicate."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from core.phones.parse import parse_number
from messaging.models import Message
from messaging.queue_message import Draft, find_duplicate
from tests.factories.accounts import make_account
from tests.factories.messages import TEXT, make_message

pytestmark = pytest.mark.django_db


def make_draft(message: Message) -> Draft:
    return Draft(
        message.account,
        parse_number(message.recipient),
        Message.Kind(message.kind),
        text=message.text,
    )


def test_same_text_to_the_same_number_is_a_duplicate() -> None:
    message = make_message()
    assert find_duplicate(make_draft(message)) == message


def test_duplicate_over_another_account_is_found() -> None:
    message = make_message()
    assert find_duplicate(replace(make_draft(message), account=make_account())) == message


def test_line_ends_do_not_matter() -> None:
    message = make_message(text="one\ntwo")
    assert find_duplicate(replace(make_draft(message), text="one\r\ntwo")) == message


def test_newest_duplicate_is_returned() -> None:
    make_message()
    newest = make_message()
    assert find_duplicate(make_draft(newest)) == newest


@pytest.mark.parametrize(
    "other",
    [{"text": TEXT + "!"}, {"recipient": parse_number("13900000000")}],
    ids=["text", "number"],
)
def test_other_text_or_number_is_no_duplicate(other: dict[str, object]) -> None:
    assert find_duplicate(replace(make_draft(make_message()), **other)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("state", ["cancelled", "not_sent", "refused"])
def test_message_that_never_left_is_no_duplicate(state: str) -> None:
    assert find_duplicate(make_draft(make_message(state=state))) is None


@pytest.mark.parametrize("state", ["queued", "unknown", "submitted", "delivered", "undelivered"])
def test_message_that_may_have_left_is_a_duplicate(state: str) -> None:
    assert find_duplicate(make_draft(make_message(state=state))) is not None


@pytest.mark.parametrize(
    ("provider", "kind", "just_inside", "just_outside"),
    [
        (
            "haorui",
            "text",
            timedelta(hours=23, minutes=59),
            timedelta(hours=24, minutes=1),
        ),
        ("haosms", "own_code", timedelta(seconds=110), timedelta(seconds=121)),
        ("otpservice", "provider_code", timedelta(seconds=110), timedelta(seconds=121)),
    ],
)
def test_text_is_a_duplicate_for_24_hours_and_a_code_for_2_minutes(
    provider: str, kind: str, just_inside: timedelta, just_outside: timedelta
) -> None:
    message = make_message(make_account(provider), kind=kind)
    Message.objects.update(created_at=timezone.now() - just_inside)
    assert find_duplicate(make_draft(message)) == message
    Message.objects.update(created_at=timezone.now() - just_outside)
    assert find_duplicate(make_draft(message)) is None


def test_text_and_code_are_no_duplicates_of_each_other() -> None:
    account = make_account("haosms")
    text = make_message(account)
    code = make_message(account, kind="own_code", text=text.text)
    assert find_duplicate(make_draft(code)) == code
    assert find_duplicate(make_draft(text)) == text
    code.delete()
    assert find_duplicate(replace(make_draft(text), kind=Message.Kind.OWN_CODE)) is None


def test_other_code_to_the_same_number_is_a_duplicate() -> None:
    message = make_message(make_account("haosms"), kind="own_code")
    assert find_duplicate(replace(make_draft(message), code="000000")) == message
