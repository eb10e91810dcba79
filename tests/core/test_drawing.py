"""Rendering of state labels, times, amounts, numbers and foreign text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.template import Context, Template
from django.utils import translation

from core.admin import labels
from core.admin.labels import Role, StateLabel, register_states, state_label
from core.masking import masked_number
from core.money_lines import MoneyLine
from core.templatetags.portal import amount, visible
from core.times import duration, remaining, short_time, when

NOW = datetime(2025, 11, 22, 6, 0, tzinfo=UTC)


def test_state_label_has_icon_word_role_and_help() -> None:
    html = state_label("account", "paused")
    assert "Paused" in html
    assert "pause_circle" in html
    assert "state-danger" in html
    assert 'data-help="Sending is stopped; see the reason."' in html


def test_unknown_state_is_shown_raw_and_escaped() -> None:
    html = state_label("account", '<script>"x"')
    assert "<script>" not in html
    assert "&lt;script&gt;" in html
    assert "state-neutral" in html


def test_registered_label_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labels, "_registry", {})
    register_states("thing", {"odd": StateLabel("<i>", Role.INFO, "help", '"quoted"')})
    html = state_label("thing", "odd")
    assert "<i>" not in html
    assert "&quot;quoted&quot;" in html


@time_machine.travel(NOW, tick=False)
@pytest.mark.parametrize(
    ("moment", "english", "chinese"),
    [
        (datetime(2025, 11, 22, 5, 5, 32, tzinfo=UTC), "13:05:32", "13:05:32"),
        # Just after midnight in local time, still the day before in UTC.
        (datetime(2025, 11, 21, 16, 0, 1, tzinfo=UTC), "00:00:01", "00:00:01"),
        (datetime(2025, 11, 20, 6, 5, tzinfo=UTC), "20 Nov 14:05", None),
        (datetime(2024, 11, 20, 6, 5, tzinfo=UTC), "2024-11-20", "2024-11-20"),
    ],
)
def test_precision_of_a_time_depends_on_its_age(
    moment: datetime, english: str, chinese: str | None
) -> None:
    assert short_time(moment) == english
    if chinese:
        with translation.override("zh-hans"):
            assert short_time(moment) == chinese


@time_machine.travel(NOW, tick=False)
def test_full_time_is_in_the_tooltip_and_on_detail_pages() -> None:
    moment = datetime(2025, 11, 22, 5, 5, 32, tzinfo=UTC)
    assert 'title="2025-11-22 13:05:32 UTC+08:00"' in when(moment)
    assert ">13:05:32<" in when(moment)
    assert ">2025-11-22 13:05:32 UTC+08:00<" in when(moment, full=True)
    assert when(None) == ""


def test_durations_and_remaining_times_are_formatted() -> None:
    assert duration(0.72) == "0.7 s"
    assert duration(timedelta(seconds=30)) == "30.0 s"
    assert duration(None) == ""
    assert remaining(432) == "7:12"
    assert remaining(timedelta(seconds=-5)) == "0:00"


def test_amounts_have_at_least_two_decimals() -> None:
    assert amount(Decimal("120.5000")) == "120.50"
    assert amount(Decimal("5000")) == "5,000.00"
    assert amount(Decimal("0.0825")) == "0.0825"
    assert amount(Decimal("-1234.5")) == "-1,234.50"
    assert amount(None) == ""


def test_screen_readers_announce_a_masked_number_as_hidden() -> None:
    html = masked_number("+8613912345678")
    assert "+86 139 •••• 5678" in html
    assert "number hidden, ends in 5678" in html
    assert "12345678" not in html
    assert masked_number("") == ""


def test_control_characters_become_visible_and_line_breaks_stay() -> None:
    assert visible("a\x00b\x1b\n\tc\x7f\r") == "a␀b␛\n\tc␡"


def test_foreign_text_is_escaped_and_isolated() -> None:
    template = Template("{% load portal %}{% foreign_text text %}")
    html = template.render(Context({"text": "<b>\u202eabc"}))
    assert "<bdi" in html
    assert 'dir="auto"' in html
    assert "<b>" not in html


def test_every_money_line_renders() -> None:
    template = Template("{% load portal %}{% money_line letter %}")
    for line in MoneyLine:
        assert str(line.text) in template.render(Context({"letter": line.value})).replace(
            "&#x27;", "'"
        )
    assert template.render(Context({"letter": ""})).strip() == ""
