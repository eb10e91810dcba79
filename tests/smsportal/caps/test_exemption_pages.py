"""The pages on which managers exempt from caps."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from core.models import Act
from providers.models import CapExemption
from smsportal.caps.exemption_form import ExemptionForm
from tests.factories.accounts import make_account
from tests.factories.staff import make_staff

pytestmark = pytest.mark.django_db
LIST = reverse("admin:providers_capexemption_changelist")
ADD = reverse("admin:providers_capexemption_exempt")


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(make_staff("manager"))
    return client


def post(browser: Client, **fields: object) -> str:
    day = f"{timezone.localdate() + timedelta(days=3):%Y-%m-%d}"
    answer = browser.post(ADD, {"because": "load test", "last_day": day, **fields})
    return "" if answer.status_code == 302 else answer.content.decode()


def test_exemption_ends_with_its_last_day(browser: Client) -> None:
    assert post(browser, scope="number", number="13912345678") == ""
    exemption = CapExemption.objects.get()
    assert (exemption.key, exemption.because) == ("+8613912345678", "load test")
    last = timezone.localdate() + timedelta(days=3)
    end = timezone.localtime(exemption.ends_at)
    assert (end.date(), end.hour, end.minute) == (last + timedelta(days=1), 0, 0)
    page = browser.get(LIST).content.decode()
    assert "5678" in page
    assert "12345678" not in page


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"scope": "number", "number": "1"}, "field-problem"),
        ({"scope": "prefix", "starts_with": "+86"}, "Enter at least 5 digits"),
        ({"scope": "prefix", "starts_with": "+860139"}, "No phone number begins with +860139."),
        ({"scope": "account"}, "Enter what is exempt."),
        ({"scope": "number", "number": "13912345678", "last_day": ""}, "Enter the day on which"),
        ({"scope": "number", "number": "13912345678", "last_day": "2020-01-01"}, "from today on"),
        ({"scope": "number", "number": "13912345678", "last_day": "2090-01-01"}, "at most 366"),
        ({"scope": "number", "number": "13912345678", "because": "…"}, "Describe the reason"),
    ],
)
def test_missing_or_too_wide_values_are_refused_beside_their_field(
    browser: Client, fields: dict[str, str], text: str
) -> None:
    page = post(browser, **fields)
    assert text in page
    assert fields.get("number", "") in page
    assert not CapExemption.objects.exists()


def test_exemption_is_ended_once_and_recorded(browser: Client) -> None:
    account = make_account(name="Main account")
    post(browser, scope="account", account=account.pk)
    exemption = CapExemption.objects.get()
    page = reverse("admin:providers_capexemption_change", args=[exemption.public_id])
    assert "Main account" in browser.get(page).content.decode()
    end = reverse("admin:providers_capexemption_end", args=[exemption.public_id])
    browser.post(end)
    again = browser.post(end, follow=True).content.decode()
    assert "No change: this exemption has already ended." in again
    assert "End now" not in again
    acts = Act.objects.filter(what__startswith="cap.").order_by("pk")
    assert [act.what for act in acts] == ["cap.exempt", "cap.end_exemption"]
    assert "Ended" in browser.get(LIST).content.decode()


@pytest.mark.parametrize(
    ("zone", "day", "ends_at"),
    [
        # 5 h 45 min ahead of UTC.
        ("Asia/Kathmandu", "2026-09-05", datetime(2026, 9, 5, 18, 15, tzinfo=UTC)),
        # 12 h 45 min ahead; clocks are set forward during the day, by an hour.
        ("Pacific/Chatham", "2026-09-27", datetime(2026, 9, 27, 10, 15, tzinfo=UTC)),
        # Clocks are set forward by half an hour during the day.
        ("Australia/Lord_Howe", "2026-10-04", datetime(2026, 10, 4, 13, 0, tzinfo=UTC)),
        # The next day begins at 01:00.
        ("America/Santiago", "2026-09-05", datetime(2026, 9, 6, 4, 0, tzinfo=UTC)),
        # Midnight comes twice: the next day begins with the first.
        ("America/Havana", "2026-10-31", datetime(2026, 11, 1, 4, 0, tzinfo=UTC)),
    ],
)
def test_last_day_ends_where_the_clocks_of_the_reader_end_it(
    monkeypatch: pytest.MonkeyPatch, zone: str, day: str, ends_at: datetime
) -> None:
    monkeypatch.setattr(timezone, "localdate", lambda: date(2026, 9, 1))
    values = {"scope": "number", "number": "13912345678", "because": "launch", "last_day": day}
    with timezone.override(zone):
        form = ExemptionForm(values, actor=make_staff("manager"))
        assert form.is_valid(), form.errors
    assert form.cleaned_data["last_day"] == ends_at
