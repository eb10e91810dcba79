"""Charts draw what the figures say: scales, stacks, lines, gaps, and the same as a table."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from math import inf, nan

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from core.admin.charts import (
    Lines,
    Meter,
    Series,
    Share,
    Shares,
    Slot,
    Sparkline,
    StackedBars,
    Threshold,
    even_ticks,
    grouped,
    on_one_scale,
)
from core.admin.charts.scales import MOST_STEPS, Number, fit_scale
from core.templatetags.charts import chart

NUMBERS = st.one_of(
    st.integers(-(10**15), 10**15),
    st.decimals(-(10**12), 10**12, places=4),
    st.floats(-1e12, 1e12, allow_subnormal=False),
)


def slots(count: int, url: str = "") -> list[Slot]:
    return [Slot(f"slot {index}", url and f"{url}{index}") for index in range(count)]


def bars(
    good: Sequence[Number | None], bad: Sequence[Number | None], **more: object
) -> StackedBars:
    series = [Series("Failed", bad, "bad"), Series("Delivered", good, "good")]
    return StackedBars(
        title="Messages",
        slot_word="Hour",
        slots=slots(len(good), "/rows/"),
        series=series,
        **more,  # type: ignore[arg-type]
    )


def lines(*values: Sequence[Number | None], **more: object) -> Lines:
    series = [Series(f"line {place}", one) for place, one in enumerate(values)]
    count = len(values[0]) if values else 0
    return Lines(title="Balances", slot_word="Day", slots=slots(count), series=series, **more)  # type: ignore[arg-type]


# --- scales ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("most", "ticks"),
    [
        (0, [1, 0]),
        (1, [1, 0]),
        (3, [3, 2, 1, 0]),
        (5, [6, 4, 2, 0]),
        (247, [300, 200, 100, 0]),
        (3150, [3200, 2400, 1600, 800, 0]),
        (12_730, [15_000, 10_000, 5_000, 0]),
        (10**12, [10**12, 75 * 10**10, 5 * 10**11, 25 * 10**10, 0]),
    ],
)
def test_counts_get_few_round_steps(most: int, ticks: list[int]) -> None:
    assert fit_scale([0, most, None], whole=True).ticks == ticks


def test_a_scale_without_values_is_not_empty() -> None:
    assert fit_scale([]).ticks == fit_scale([None, None]).ticks == [1, 0]


def test_a_line_may_begin_elsewhere() -> None:
    assert fit_scale([4812, 4900], from_zero=False).ticks == [4900, 4875, 4850, 4825, 4800]
    assert fit_scale([4812, 4900]).low == 0
    assert fit_scale([7, 7], from_zero=False).low == 0, "one value alone has no span"


def test_amounts_below_zero_are_on_the_scale() -> None:
    scale = fit_scale([Decimal("-12.5"), Decimal(30)])
    assert scale.ticks == [30, 15, 0, -15]


@pytest.mark.parametrize("value", [nan, inf, Decimal("NaN")])
def test_what_is_no_number_has_no_scale(value: Number) -> None:
    with pytest.raises(ValueError, match="finite"):
        fit_scale([1, value])


@given(st.lists(NUMBERS, max_size=5), st.booleans(), st.booleans())
def test_every_value_is_on_its_scale(values: list[Number], from_zero: bool, whole: bool) -> None:
    scale = fit_scale(values, from_zero=from_zero, whole=whole)
    assert 1 <= len(scale.ticks) - 1 <= MOST_STEPS
    assert all(one - two == scale.step for one, two in pairwise(scale.ticks))
    assert all(-1e-9 <= scale.height(value) <= 100 + 1e-9 for value in values)
    assert not (from_zero and values and scale.low > 0)
    assert not (whole and scale.step % 1)


# --- stacked bars ---------------------------------------------------------------------
def test_layers_have_one_order() -> None:
    drawing = bars([8], [2])
    assert [one.role for one in drawing.series] == ["good", "bad"]
    assert [part.role for part in drawing.bars[0].parts] == ["good", "bad"]


def test_a_stack_ends_at_its_total() -> None:
    (bar,) = bars([6], [2]).bars
    assert [(part.y, part.height) for part in bar.parts] == [("25.4", "74.6"), ("0.4", "24.6")]


def test_one_in_a_million_is_still_seen() -> None:
    (bar,) = bars([10**6], [1]).bars
    assert float(bar.parts[1].height) > 0.3


def test_zero_is_drawn_without_height_and_the_time_to_come_not_at_all() -> None:
    drawing = bars([3, 0, None], [1, 0, None])
    assert [len(bar.parts) for bar in drawing.bars] == [2, 0]
    assert drawing.rows[1][1] == ["0", "0", "0"]
    assert drawing.rows[2][1] == ["", "", ""]


def test_the_running_hour_is_as_wide_as_it_has_passed() -> None:
    drawing = bars([4, 4, None], [0, 0, None], running=0.5)
    whole, running = (float(bar.width) for bar in drawing.bars)
    assert running == pytest.approx(whole / 2, abs=0.01)
    (at_its_beginning,) = bars([1], [0], running=0.01).bars
    assert float(at_its_beginning.width) > 20


def test_one_slot_has_no_bar_as_wide_as_the_page() -> None:
    (bar,) = bars([4], [0]).bars
    assert (bar.x, bar.width) == ("440", "120")


def test_the_other_period_is_an_outline_with_gaps() -> None:
    drawing = bars([1, 1, 1, 1], [0, 0, 0, 0], past=Series("Last week", [2, 4, None, 0]))
    assert drawing.past_path == "M0 50H250V0H500M750 100H1000"
    assert drawing.rows[2][1] == ["1", "0", "1", ""]


@pytest.mark.parametrize(
    ("series", "problem"),
    [
        ([Series("a", [1], "good"), Series("b", [1], "good")], "role"),
        ([Series("a", [1])], "role"),
        ([Series("a", [-1], "good")], "negative"),
        ([Series("a", [1, 2], "good")], "2 values for 1 slots"),
    ],
)
def test_wrong_stacks_are_refused(series: list[Series], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        StackedBars(title="", slot_word="", slots=slots(1), series=series)


# --- lines ----------------------------------------------------------------------------
def test_a_line_breaks_where_nothing_is_known() -> None:
    first, second = lines([0, 2, None, 4], [None, 4, None, None]).lines
    assert (first.path, first.dots) == ("M0 100L333.33 50", "M1000 0h0")
    assert (second.path, second.dots) == ("", "M333.33 0h0"), "a point without neighbours"


def test_a_balance_keeps_its_value_until_the_next_reading() -> None:
    series = [Series("Available", [4, 0], is_step=True)]
    places = [Slot("a", at=0.25), Slot("b", at=1)]
    drawing = Lines(title="", slot_word="", slots=places, series=series)
    assert drawing.lines[0].path == "M250 0H1000V100"


def test_a_line_of_one_point_stands_in_the_middle() -> None:
    assert lines([5]).lines[0].dots.startswith("M500 ")


def test_a_threshold_is_on_the_scale() -> None:
    drawing = lines([1, 2], threshold=Threshold("Low", 200))
    assert drawing.threshold_y == "0"
    assert drawing.threshold_text == "Low: 200"


def test_a_scale_that_does_not_begin_at_zero_says_so() -> None:
    assert "The scale begins at 4,800." in chart(lines([4812, 4900], from_zero=False))
    assert "begins" not in chart(lines([4812, 4900]))


def test_the_band_covers_what_both_lines_know() -> None:
    drawing = lines([1, 2, None], [2, 4, 4], band=(0, 1))
    assert drawing.band_path == "M0 75L500 50L500 0L0 50Z"
    assert lines([1, None], [2, 4], band=(0, 1)).band_path == ""


def test_each_point_answers_up_to_the_middle_of_the_next() -> None:
    assert [(one.x, one.width) for one in lines([1, 2, 3]).reaches] == [
        ("0", "250"),
        ("250", "500"),
        ("750", "250"),
    ]


def test_five_lines_are_refused() -> None:
    with pytest.raises(ValueError, match="at most 4"):
        lines(*[[1]] * 5)


# --- small ones -----------------------------------------------------------------------
def test_a_column_of_sparklines_shares_its_scale() -> None:
    low, high = on_one_scale([Sparkline([1, 1]), Sparkline([4, 4], threshold=2)])
    assert (low.pieces, high.pieces) == (["M0 17L88 17"], ["M0 2L88 2"])
    assert high.threshold_y == "12"


def test_a_sparkline_has_gaps() -> None:
    drawing = Sparkline([4, None, 4, 0])
    assert drawing.pieces == ["M0 2h0", "M58.67 2L88 22"]
    assert drawing.areas == ["M58.67 2L88 22V24H58.67Z"]
    assert chart(Sparkline([None])).strip() == ""


def test_a_meter_shows_parts_of_the_whole() -> None:
    meter = Meter([("good", 50), ("plain", 0), ("bad", 25)], 100)
    assert [(one.role, one.x, one.width) for one in meter.parts] == [
        ("good", "0", "500"),
        ("bad", "500", "250"),
    ]
    assert Meter([("good", 3)], 0).parts[0].width == "1000", "more than the whole fills it"
    assert Meter([("good", 0)], 0).parts == []
    assert 'class="fill-bad" x="500"' in chart(meter)


def test_a_share_beyond_its_whole_fills_the_bar() -> None:
    assert (Share("a", 1.2, "120%").width, Share("b", -1, "").width) == ("100%", "0%")


def test_ticks_are_few_and_every_second_is_for_wide_pages() -> None:
    ticks = even_ticks([f"{hour:02}" for hour in range(25)])
    assert [tick.text for tick in ticks] == ["00", "03", "06", "09", "12", "15", "18", "21", "24"]
    assert [tick.is_wide_only for tick in ticks[:3]] == [False, True, False]
    assert (ticks[0].anchor, ticks[1].anchor, ticks[-1].anchor) == ("start", "middle", "end")
    assert [tick.x for tick in even_ticks(["1 Nov"])] == ["0%"]


def test_word_of_a_bar_stands_below_its_middle() -> None:
    days = [f"{day} Nov" for day in range(1, 5)]
    middles = [float(bar.x) + float(bar.width) / 2 for bar in bars([1] * 4, [0] * 4).bars]
    ticks = even_ticks(days, below_bars=True)
    assert [tick.at * 1000 for tick in ticks] == pytest.approx(middles)
    assert {tick.anchor for tick in ticks} == {"middle"}
    assert [tick.x for tick in even_ticks(["1 Nov"], below_bars=True)] == ["50%"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (14425, "14,425"),
        (Decimal("4812.4000"), "4,812.4"),
        (1e15, "1,000,000,000,000,000"),
    ],
)
def test_values_are_grouped(value: Number, text: str) -> None:
    assert grouped(value) == text


# --- pages ----------------------------------------------------------------------------
def test_the_drawing_is_hidden_and_the_table_says_the_same() -> None:
    page = chart(bars([6, 1], [2, 0], past=Series("Last week", [5, 5]), note="Until 14:05."))
    drawn, _, table = page.partition("<details")
    assert 'aria-hidden="true"' in drawn
    assert '<a href="/rows/0" tabindex="-1"><title>slot 0: 8</title>' in drawn
    assert '<th scope="row"><a href="/rows/0">slot 0</a></th>' in table
    assert [cell in table for cell in ("Delivered", "Failed", "Total", "Last week")] == [True] * 4
    assert "Until 14:05." in page
    assert " style=" not in page


def test_names_of_accounts_are_not_translated_and_are_escaped() -> None:
    series = [Series("<b>main</b>", [1, 2], is_data=True)]
    page = chart(Lines(title="", slot_word="", slots=slots(2), series=series))
    assert page.count('translate="no">&lt;b&gt;main&lt;/b&gt;') == 2
    assert "<b>" not in page


@pytest.mark.parametrize("drawing", [bars([], []), bars([None], [None]), lines(), lines([None])])
def test_a_chart_without_figures_says_so(drawing: StackedBars | Lines) -> None:
    page = chart(drawing)
    assert "No figures for this period." in page
    assert "<svg" not in page


def test_coordinates_do_not_follow_the_language() -> None:
    with override("de"):
        assert "L333.33 50" in chart(lines([0, 2, 4, 4]))


def test_shares_are_words_and_bars() -> None:
    shares = [Share("main", 0.92, "92%", "188 of 204", "/rows/", 0.9, is_data=True)]
    page = chart(Shares("Verified", shares, past_word="last week"))
    assert '<a class="share" href="/rows/">' in page
    assert 'width="92%"' in page
    assert 'x1="90%"' in page
    assert "No figures" in chart(Shares("Verified", []))
