"""Every reason has its words, in both languages, whatever is known at the time."""

from __future__ import annotations

import pytest
from django.utils import translation

from core.money_lines import MoneyLine
from providers import error_texts
from providers.error_texts import ReasonText, explain, register_reason
from providers.gateway.vocabulary import Reason

ALL_VALUES = {"n": 12, "time": "14:05", "app": "WhatsApp", "country": "Indonesia"}


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize("reason", Reason)
def test_each_reason_is_explained_with_and_without_its_values(reason: Reason, free: bool) -> None:
    for values in ({}, ALL_VALUES):
        said = explain(reason, free=free, **values)
        assert said.title
        assert said.title != reason
        assert "%(" not in said.title + said.text + said.next_step


@pytest.mark.parametrize("reason", Reason)
def test_money_is_one_of_the_five_lines_and_none_where_nothing_was_bought(reason: Reason) -> None:
    assert explain(reason).money in {"", *MoneyLine}
    assert explain(reason, free=True).money == ""


@pytest.mark.parametrize(
    "reason",
    [
        Reason.TIMED_OUT,
        Reason.CUT_OFF,
        Reason.UNREADABLE,
        Reason.CONTRADICTION,
        Reason.PROVIDER_FAULT,
        Reason.PORTAL_FAULT,
    ],
)
def test_where_money_may_be_gone_it_says_so(reason: Reason) -> None:
    assert explain(reason).money == MoneyLine.UNKNOWN


def test_values_stand_in_the_text() -> None:
    said = explain(Reason.NO_NUMBER_AVAILABLE, app="WhatsApp", country="Indonesia", n=10)
    assert said.title == "No number is free for WhatsApp in Indonesia."
    assert "10 minutes" in said.next_step


def test_a_percent_sign_in_a_value_is_only_a_percent_sign() -> None:
    assert "100%(n)s" in explain(Reason.TIMED_OUT, n="100%(n)s").title


def test_a_question_that_costs_nothing_has_no_recipient_to_ask() -> None:
    assert "recipient" in explain(Reason.TIMED_OUT).next_step
    assert "recipient" not in explain(Reason.TIMED_OUT, free=True).next_step


def test_an_unknown_reason_is_shown_as_it_is() -> None:
    assert explain("from_the_future").title == "from_the_future"


def test_an_app_above_adds_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_texts, "_texts", dict(error_texts._texts))
    register_reason(
        "late", ReasonText("This waited %(n)s.", money="L", plain={"title": "It waited."})
    )
    assert explain("late", n="3 h").title == "This waited 3 h."
    assert explain("late").title == "It waited."
    assert explain("late").money == "L"


def test_texts_follow_the_readers_language() -> None:
    with translation.override("en"):
        assert explain(Reason.NO_BALANCE).title == "The account has no balance."
