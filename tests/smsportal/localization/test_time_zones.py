"""Each person reads and enters times in a time zone of their own."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from core.times import exact, full_time, short_time, when
from messaging.admin.batch_page import fingerprint
from messaging.models import Message
from otp.models import Session
from smsportal.localization.time_zones import TimeZoneMiddleware, find_zone, offered_zones, zone_of
from smsportal.models import Preferences
from tests.factories.batches import make_batch, numbers
from tests.factories.codes import make_session
from tests.factories.messages import make_message
from tests.support.preferences import live_in
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db

EVENING: datetime = datetime(2026, 3, 19, 18, 20, 5, tzinfo=UTC)
"""Already the 20th in Shanghai (02:20), Kolkata is at 23:50, Kathmandu at 00:05."""
MESSAGES = "/messaging/message/"


def browser_in(zone: str, role: str = "manager", name: str = "") -> Client:
    return browser_of(live_in(zone, member(role, name=name or zone)))


def text_of(answer: Any) -> str:
    content: bytes = answer.getvalue() if answer.streaming else answer.content
    return content.decode()


# --- reading -------------------------------------------------------------------


def test_two_people_see_the_same_message_under_different_days() -> None:
    message = make_message(created_at=EVENING)
    on_19th = {"created_at_from_0": "2026-03-19", "created_at_to_0": "2026-03-19"}
    with time_machine.travel(EVENING + timedelta(days=2), tick=False):
        for zone, is_there in (
            ("", False),
            ("Asia/Kolkata", True),
            ("Asia/Kathmandu", False),
            ("America/New_York", True),
        ):
            page = text_of(browser_in(zone, name=f"in {zone}").get(MESSAGES, on_19th))
            assert (message.public_id in page) == is_there, zone


def test_offsets_of_30_and_45_minutes_stand_beside_times() -> None:
    message = make_message(created_at=EVENING)
    address = reverse("admin:messaging_message_change", args=[message.public_id])
    kolkata = text_of(browser_in("Asia/Kolkata").get(address))
    assert "2026-03-19 23:50:05" in kolkata
    assert "UTC+05:30" in kolkata
    assert "Asia/Kolkata" in kolkata
    kathmandu = text_of(browser_in("Asia/Kathmandu").get(address))
    assert "2026-03-20 00:05:05" in kathmandu
    assert "UTC+05:45" in kathmandu


def test_fragments_are_in_the_same_zone() -> None:
    message = make_message(created_at=EVENING)
    address = reverse("admin:messaging_message_live", args=[message.public_id])
    answer = browser_in("Asia/Kathmandu").get(address)
    assert answer.status_code == 200
    assert "2026-03-20 00:05:05" in text_of(answer)


@time_machine.travel(datetime(2026, 7, 1, 12, 0, tzinfo=UTC), tick=False)
def test_other_zones_than_that_of_the_installation_are_named() -> None:
    moment = datetime(2026, 7, 1, 11, 0, tzinfo=UTC)
    assert short_time(moment) == "19:00:00"
    with timezone.override(settings.TIME_ZONE):
        assert short_time(moment) == "19:00:00"
    with timezone.override("Asia/Kathmandu"):
        assert short_time(moment) == "16:45:00 UTC+05:45"
        assert short_time(moment - timedelta(days=40)) == "22 May 16:45 UTC+05:45"
        assert short_time(moment - timedelta(days=400)) == "2025-05-27 UTC+05:45"
        assert "16:45:00.00 UTC+05:45<" in exact(moment)
        assert "16:45:00 UTC+05:45<" in when(moment)


def test_offset_is_that_of_the_moment() -> None:
    with timezone.override("Europe/Berlin"):
        assert full_time(datetime(2026, 1, 5, tzinfo=UTC)).endswith("01:00:00 UTC+01:00")
        assert full_time(datetime(2026, 7, 5, tzinfo=UTC)).endswith("02:00:00 UTC+02:00")


def test_today_is_the_readers_day() -> None:
    session = make_session()
    # 10:00 in Shanghai, and 22:00 of the day before in New York.
    with time_machine.travel(datetime(2026, 3, 20, 2, 0, tzinfo=UTC), tick=False):
        sent = datetime(2026, 3, 19, 15, 0, tzinfo=UTC)
        Session.objects.filter(pk=session.pk).update(created_at=sent)
        assert session.public_id not in text_of(browser_in("").get("/otp/session/"))
        assert session.public_id in text_of(browser_in("America/New_York").get("/otp/session/"))


def test_streamed_exports_are_in_the_readers_zone() -> None:
    Message.objects.filter(pk=make_message().pk).update(created_at=EVENING)
    address = reverse("admin:messaging_message_export")
    for format_ in ("csv", "xlsx"):
        answer = browser_in("Asia/Kathmandu", name=format_).get(
            address, {"period": "all", "format": format_}
        )
        assert answer.status_code == 200
        if format_ == "csv":
            assert "2026-03-20 00:05:05 UTC+05:45" in text_of(answer)
        else:
            sheet: Any = load_workbook(BytesIO(answer.getvalue())).active
            cells = {cell for row in sheet.iter_rows(values_only=True) for cell in row}
            assert "2026-03-20 00:05:05 UTC+05:45" in cells


def test_pieces_are_made_in_the_readers_zone_and_the_thread_keeps_its_own() -> None:
    browser = browser_in("Asia/Kathmandu")
    request = RequestFactory().get("/")
    request.session = browser.session
    request.COOKIES[settings.SESSION_COOKIE_NAME] = "x"
    seen: list[str] = []

    def stream(_: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(
            timezone.get_current_timezone_name().encode() for _piece in range(2)
        )

    answer = TimeZoneMiddleware(stream)(request)
    for piece in answer:
        seen += [piece.decode(), timezone.get_current_timezone_name()]
    assert seen == ["Asia/Kathmandu", settings.TIME_ZONE] * 2


def test_an_error_ends_the_zone_too() -> None:
    request = RequestFactory().get("/")
    request.session = browser_in("Asia/Kathmandu").session
    request.COOKIES[settings.SESSION_COOKIE_NAME] = "x"

    def fail(_: HttpRequest) -> HttpResponse:
        assert timezone.get_current_timezone_name() == "Asia/Kathmandu"
        raise LookupError

    with pytest.raises(LookupError):
        TimeZoneMiddleware(fail)(request)
    assert timezone.get_current_timezone_name() == settings.TIME_ZONE


def test_next_request_of_the_same_thread_is_in_its_own_zone() -> None:
    message = make_message(created_at=EVENING)
    address = reverse("admin:messaging_message_change", args=[message.public_id])
    browser_in("Asia/Kathmandu").get(address)
    page = text_of(browser_of(member("viewer")).get(address))
    assert "2026-03-20 02:20:05" in page
    assert "+05:45" not in page


def test_unknown_zone_in_the_database_counts_as_none() -> None:
    user = live_in("Asia/Atlantis", member("viewer"))
    assert zone_of(user.pk) is None
    assert browser_of(user).get(MESSAGES).status_code == 200


def test_zone_is_no_reason_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(Preferences.objects, "filter", fail)
    assert zone_of(1) is None


def test_no_query_without_a_session(django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        TimeZoneMiddleware(lambda _: HttpResponse())(RequestFactory().get("/"))


# --- entering ------------------------------------------------------------------


def confirm(browser: Client, **data: str) -> tuple[str, datetime | None, str]:
    """Schedule a batch. Returns its state, its start, and the page."""
    batch = make_batch(numbers(2))
    address = reverse("admin:messaging_batch_confirm", args=[batch.public_id])
    data = {"when": "later", "seen": fingerprint(batch), **data}
    page = browser.post(address, data).content.decode()
    batch.refresh_from_db()
    return batch.state, batch.scheduled_for, page


@time_machine.travel(datetime(2027, 3, 1, tzinfo=UTC), tick=False)
def test_batch_starts_at_the_time_of_whoever_schedules_it() -> None:
    browser = browser_in("Asia/Kathmandu")
    state, at, _ = confirm(browser, day="2027-03-10", clock="09:00")
    assert (state, at) == ("scheduled", datetime(2027, 3, 10, 3, 15, tzinfo=UTC))


@time_machine.travel(datetime(2027, 3, 1, tzinfo=UTC), tick=False)
def test_confirm_page_names_the_zone() -> None:
    batch = make_batch(numbers(2))
    address = reverse("admin:messaging_batch_confirm", args=[batch.public_id])
    assert "Asia/Kathmandu" in text_of(browser_in("Asia/Kathmandu").get(address))


@time_machine.travel(datetime(2027, 3, 1, tzinfo=UTC), tick=False)
def test_times_are_asked_about_where_the_persons_clocks_change() -> None:
    """Clocks in Berlin skip 02:30 on that day. Those in Shanghai do not."""
    state, _, page = confirm(browser_in("Europe/Berlin"), day="2027-03-28", clock="02:30")
    assert state == "ready"
    assert "does not exist on that day" in page
    state, at, _ = confirm(browser_in(""), day="2027-03-28", clock="02:30")
    assert (state, at) == ("scheduled", datetime(2027, 3, 27, 18, 30, tzinfo=UTC))


@time_machine.travel(datetime(2027, 10, 1, tzinfo=UTC), tick=False)
def test_times_that_occur_twice_are_asked_about_in_the_persons_zone() -> None:
    browser = browser_in("Europe/Berlin")
    state, _, page = confirm(browser, day="2027-10-31", clock="02:30")
    assert state == "ready"
    assert {"2027-10-31 02:30:00 UTC+02:00", "2027-10-31 02:30:00 UTC+01:00"} <= set(
        re.findall(r"2027-10-31 02:30:00 UTC.\d\d:\d\d", page)
    )


# --- choosing ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("Asia/Kathmandu", "Asia/Kathmandu"),
        ("asia/hong kong", "Asia/Hong_Kong"),
        ("utc", "UTC"),
        (" kathmandu ", "Asia/Kathmandu"),
        ("new york", "America/New_York"),
        ("Louisville", None),
        ("Atlantis", None),
        ("", None),
        ("../etc/passwd", None),
        ("a" * 200, None),
    ],
)
def test_zones_are_found_in_any_writing(typed: str, found: str | None) -> None:
    assert find_zone(typed) == found


def test_offered_zones_have_their_present_offset() -> None:
    zones = dict(offered_zones(datetime(2026, 7, 1, tzinfo=UTC)))
    assert zones["Asia/Kolkata"] == "UTC+05:30"
    assert zones["Asia/Kathmandu"] == "UTC+05:45"
    assert zones["Europe/Berlin"] == "UTC+02:00"
    assert zones["America/New_York"] == "UTC-04:00"
    assert zones["Asia/Shanghai"] == "UTC+08:00"
    assert not any(name.startswith("Etc/") for name in zones)
    assert all(ZoneInfo(name) for name in zones)


def test_everybody_chooses_a_zone_and_a_language() -> None:
    user = member("viewer")
    browser = browser_of(user)
    page = text_of(browser.get("/my-settings/"))
    assert '<option value="Asia/Kathmandu">UTC+05:45</option>' in page
    assert '<a class="menu-line" href="/my-settings/">' in page
    answer = browser.post(
        "/my-settings/", {"time_zone": " asia/kathmandu ", "language": "zh-hans"}, follow=True
    )
    assert Preferences.objects.get(pk=user.pk).time_zone == "Asia/Kathmandu"
    page = text_of(answer)
    assert 'lang="zh-hans"' in page
    assert 'value="Asia/Kathmandu"' in page
    assert "已保存" in page
    assert "UTC+05:45" in page


def test_no_zone_is_that_of_the_installation() -> None:
    user = live_in("Asia/Kathmandu", member("viewer"))
    browser_of(user).post("/my-settings/", {"time_zone": "", "language": "en"})
    assert Preferences.objects.get(pk=user.pk).time_zone == ""
    assert zone_of(user.pk) is None


@pytest.mark.parametrize("typed", ["Atlantis", "Asia/Kathmandu\x00", "x" * 65])
def test_unknown_zone_is_refused(typed: str) -> None:
    user = member("viewer")
    answer = browser_of(user).post("/my-settings/", {"time_zone": typed, "language": "en"})
    assert answer.status_code in (200, 400)
    assert not Preferences.objects.exists()


def test_choice_ends_with_the_person() -> None:
    user = live_in("Asia/Kathmandu", member("viewer"))
    user.delete()
    assert not Preferences.objects.exists()
