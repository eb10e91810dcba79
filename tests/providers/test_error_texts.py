"""Every reason has an explanation, whichever values are known."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone, translation

from core.money_lines import MoneyLine
from providers import error_texts
from providers.accounts import REFUSED_IN_A_ROW
from providers.error_texts import explain, own_words, register_reason, retry_values
from providers.gateway.reason_kinds import DETAILED, NOT_CONNECTED
from providers.gateway.vocabulary import Reason
from providers.reason_text import ReasonText

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
def test_unknown_outcome_warns_that_money_may_be_spent(reason: Reason) -> None:
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


@pytest.mark.parametrize("reason", sorted(NOT_CONNECTED))
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_each_kind_of_failed_connection_has_its_own_words(reason: Reason, language: str) -> None:
    with translation.override(language):
        explained = explain(reason, words="2026-11-25")
        others = {explain(other).title for other in NOT_CONNECTED if other != reason}
    assert explained.title not in others
    assert explained.next_step
    assert explained.money == MoneyLine.NOT_SPENT
    assert own_words(reason, "2026-11-25") == ("" if reason in DETAILED else "2026-11-25")
    assert ("2026-11-25" in explained.title) == (reason in DETAILED)


def test_redirect_names_its_host() -> None:
    explained = explain(Reason.REDIRECTED, words="https://other.example")
    assert explained.title == "The address of this account redirected to https://other.example."
    slash = explain(Reason.REDIRECTED_TO_SLASH, words="/extra_api/otp_msg/")
    assert "Trailing slash in the send address" in slash.next_step


@pytest.mark.parametrize("reason", [Reason.OTHER_REFUSAL, Reason.PARAMETERS, REFUSED_IN_A_ROW])
def test_refusal_without_words_does_not_point_to_them(reason: str) -> None:
    assert "is below" in explain(reason, words="no").text
    assert "is below" in explain(reason).text
    wordless = explain(reason, words="")
    assert "below" not in wordless.text
    assert "what it names" not in wordless.next_step
    assert wordless.money == explain(reason).money


def test_tried_connection_says_how_often() -> None:
    values: dict[str, Any] = {**retry_values(Reason.CERT_EXPIRED, 2, timezone.now(), lambda: 0)}
    assert "Tried 2 times" in explain(Reason.CERT_EXPIRED, words="", **values).text
