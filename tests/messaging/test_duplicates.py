"""The same text or another code to the same number: a warning, never a refusal."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from core.phone import read
from messaging.models import Message
from messaging.queue_message import Draft, find_duplicate
from tests.factories.accounts import make_account
from tests.factories.messages import TEXT, make_message

pytestmark = pytest.mark.django_db


def draft_like(message: Message) -> Draft:
    return Draft(
        message.account, read(message.recipient), Message.Kind(message.kind), text=message.text
    )


def test_the_same_text_to_the_same_number_is_noticed() -> None:
    message = make_message()
    assert find_duplicate(draft_like(message)) == message


def test_over_another_account_as_well() -> None:
    message = make_message()
    assert find_duplicate(replace(draft_like(message), account=make_account())) == message


def test_line_ends_make_no_difference() -> None:
    message = make_message(text="one\ntwo")
    assert find_duplicate(replace(draft_like(message), text="one\r\ntwo")) == message


def test_the_newest_one_is_named() -> None:
    make_message()
    newest = make_message()
    assert find_duplicate(draft_like(newest)) == newest


@pytest.mark.parametrize(
    "other", [{"text": TEXT + "!"}, {"recipient": read("13900000000")}], ids=["text", "number"]
)
def test_another_text_or_number_is_no_repetition(other: dict[str, object]) -> None:
    assert find_duplicate(replace(draft_like(make_message()), **other)) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("state", ["cancelled", "not_sent", "refused"])
def test_what_never_left_is_no_repetition(state: str) -> None:
    assert find_duplicate(draft_like(make_message(state=state))) is None


@pytest.mark.parametrize("state", ["queued", "unknown", "submitted", "delivered", "undelivered"])
def test_what_may_have_left_is(state: str) -> None:
    assert find_duplicate(draft_like(make_message(state=state))) is not None


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
def test_a_text_is_a_duplicate_for_24_hours_and_a_code_for_2_minutes(
    provider: str, kind: str, just_inside: timedelta, just_outside: timedelta
) -> None:
    message = make_message(make_account(provider), kind=kind)
    Message.objects.update(created_at=timezone.now() - just_inside)
    assert find_duplicate(draft_like(message)) == message
    Message.objects.update(created_at=timezone.now() - just_outside)
    assert find_duplicate(draft_like(message)) is None


def test_any_other_code_to_the_same_number_is_noticed() -> None:
    message = make_message(make_account("haosms"), kind="own_code")
    assert find_duplicate(replace(draft_like(message), code="000000")) == message
