"""Times that providers state: with a zone, without one, and as Unix time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.gateway.stated_times import lifetime_of, local_time_of, time_of

MOMENT = datetime(2026, 11, 28, 18, 42, 36, tzinfo=UTC)
UNIX = 1795891356


@pytest.mark.parametrize(
    "stated",
    [
        "2026-11-28T18:42:36Z",
        "2026-11-28t18:42:36z",
        "2026-11-28 18:42:36Z",
        "2026-11-28 18:42:36+0000",
        "2026-11-28 18:42:36 +0000",
        "2026-11-28T18:42:36+00",
        "2026-11-28 18:42:36 UTC",
        "2026-11-28 18:42:36 GMT",
        "2026/11/28 18:42:36 UTC",
        "2026-11-29T02:42:36+08:00",
        "2026-11-29 02:42:36.000+0800",
        "2026-11-28T18:42:36.000Z",
        "20261128T184236Z",
        "2026-11-29 02:42:36 UTC+8",
        "2026-11-29 02:42:36 GMT+08:00",
        "2026-11-29T02:42:36+8:00",
        "2026-11-29T02:42:36+08:00[Asia/Shanghai]",
        "2026年11月29日 02:42:36+08:00",
        "Sat, 28 Nov 2026 18:42:36 GMT",
        "28 Nov 2026 18:42:36 +0000",
        " 2026-11-28T18:42:36Z ",
        UNIX,
        str(UNIX),
        f"{UNIX}.0",
        Decimal(f"{UNIX}.0"),
        UNIX * 1000,
        str(UNIX * 1000),
        UNIX * 1_000_000,
    ],
    ids=repr,
)
def test_time_that_names_a_moment_is_read(stated: object) -> None:
    assert time_of(stated) == MOMENT


@pytest.mark.parametrize(
    "odd",
    [
        None,
        True,
        0,
        5,
        -1,
        10**30,
        "",
        "soon",
        "0",
        "2026-11-28 18:42:36",
        "2026-11-28",
        "2026-02-30T18:42:36Z",
        "2026-11-28T25:42:36Z",
        "9999-12-31T23:59:59Z",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00Z",
        "0000-00-00 00:00:00",
        "1970-01-01T00:00:00Z",
        "2026-11-28T18:42:36+99:99",
        "２026-11-28T18:42:36Z",
        f"2026-11-28{' ' * 1_000_000}x",
        "28/11/2026 18:42:36Z",
        "2026-11-28T18:42:36 CST",
        "2026年13月28日 18:42:36Z",
        "2026-11-28T18:42:36Z[",
        "28 Nox 2026 18:42:36 +0000",
        "1e400",
        Decimal("NaN"),
        Decimal("Infinity"),
        Decimal("1E+400000"),
        [],
        {},
    ],
    ids=lambda odd: repr(odd)[:40],
)
def test_anything_else_names_no_moment(odd: object) -> None:
    assert time_of(odd) is None


@pytest.mark.parametrize(
    "stated",
    [
        "2026-11-28 18:42:36",
        "2026-11-28T18:42:36",
        "2026/11/28 18:42:36",
        "20261128184236",
        "2026年11月28日 18:42:36",
        "2026年11月28日18时42分36秒",
        "2026 年 11 月 28 日 18：42：36",
    ],
)
def test_time_without_a_zone_is_read_as_one(stated: str) -> None:
    assert local_time_of(stated) == MOMENT.replace(tzinfo=None)


@given(
    st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1)),  # noqa: DTZ001 - without a zone
    st.integers(-14 * 4, 14 * 4),
    st.sampled_from(("T", " ")),
)
def test_every_offset_is_the_same_moment(local: datetime, quarters: int, between: str) -> None:
    zone = timezone(timedelta(minutes=15 * quarters))
    moment = local.replace(microsecond=0, tzinfo=zone)
    assert time_of(moment.isoformat(sep=between)) == moment
    assert time_of(moment.strftime(f"%Y-%m-%d{between}%H:%M:%S%z")) == moment


TEN = timedelta(minutes=10)


@pytest.mark.parametrize(
    ("created", "expires", "raw", "lifetime"),
    [
        (MOMENT, MOMENT + TEN, {}, TEN),
        (
            None,
            None,
            {"created_at": "2026-11-28 23:55:00", "expired_at": "2026-11-29 00:05:00"},
            TEN,
        ),
        (
            None,
            None,
            {"created_at": "2026年11月8日 9点55分", "expired_at": "2026年11月8日 10点5分"},
            TEN,
        ),
        (None, None, {"created_at": "2026/1/8 9:55", "expired_at": "2026/1/8 10:05"}, TEN),
        (None, MOMENT, {"created_at": "2026-11-28 23:55:00"}, None),
        (MOMENT, None, {"expired_at": "2026-11-29 00:05:00"}, None),
        (None, None, {"expired_at": "2026-11-29 00:05:00"}, None),
        (None, None, {"created_at": "soon", "expired_at": "later"}, None),
        (None, None, {}, None),
    ],
)
def test_lifetime_is_the_difference_of_two_times_of_one_kind(
    created: datetime | None,
    expires: datetime | None,
    raw: dict[str, object],
    lifetime: timedelta | None,
) -> None:
    assert lifetime_of(created, expires, raw) == lifetime


@given(st.text(max_size=40) | st.integers() | st.floats() | st.decimals())
def test_no_value_raises(value: object) -> None:
    time_of(value)
    local_time_of(value)
