"""Every reason has an explanation, whichever values are known."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from core.money_lines import MoneyLine
from providers import error_texts
from providers.error_texts import explain, register_reason
from providers.gateway.vocabulary import Reason
from providers.reason_texts import ReasonText

ALL_VALUES: dict[str, Any] = {"n": 12, "time": "14:05", "app": "WhatsApp", "country": "Indonesia"}


@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained_with_and_without_values(reason: Reason, free: bool) -> None:
    for values in (dict[str, Any](), ALL_VALUES):
        explanation = explain(reason, free=free, **values)
        assert explanation.title
        assert explanation.title != reason
        assert "%(" not in explanation.title + explanation.text + explanation.next_step


@pytest.mark.parametrize("reason", Reason)
def test_money_line_is_valid_and_empty_for_free_calls(reason: Reason) -> None:
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
def test_unknown_outcome_says_that_money_may_be_spent(reason: Reason) -> None:
    assert explain(reason).money == MoneyLine.UNKNOWN


def test_values_fill_the_placeholders() -> None:
    explanation = explain(Reason.NO_NUMBER_AVAILABLE, app="WhatsApp", country="Indonesia", n=10)
    assert explanation.title == "No number available for WhatsApp in Indonesia."
    assert "10 minutes" in explanation.next_step


def test_percent_sign_in_a_value_is_literal() -> None:
    assert "100%(n)s" in explain(Reason.TIMED_OUT, n="100%(n)s").title


def test_explanation_of_a_free_call_does_not_mention_a_recipient() -> None:
    assert "recipient" in explain(Reason.TIMED_OUT).next_step
    assert "recipient" not in explain(Reason.TIMED_OUT, free=True).next_step


def test_unknown_reason_is_shown_unchanged() -> None:
    assert explain("from_the_future").title == "from_the_future"


def test_app_can_register_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_texts, "_texts", dict(error_texts._texts))
    register_reason(
        "late",
        ReasonText("Not sent after waiting %(n)s.", money="L", plain={"title": "It waited."}),
    )
    assert explain("late", n="3 h").title == "Not sent after waiting 3 h."
    assert explain("late").title == "It waited."
    assert explain("late").money == "L"


def test_explanations_are_translated() -> None:
    with translation.override("en"):
        assert explain(Reason.NO_BALANCE).title == "Insufficient balance."
