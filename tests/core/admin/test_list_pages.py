"""Lists of large tables: merged parts, capped counts, bounded filters."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core.admin import exact_search, list_pages
from messaging.models import Message
from tests.factories.accounts import make_account
from tests.factories.batches import make_batch, numbers, start_batch
from tests.factories.messages import make_message
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db

URL = "/messaging/message/"


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(make_user("messaging.view_message", "messaging.cancel_message"))
    return client


def make_some(states: list[str], **fields: Any) -> list[str]:
    """Messages a minute apart, newest first. Returns their ids in that order."""
    account = fields.pop("account", None) or make_account()
    now = fields.pop("now", timezone.now())
    return [
        make_message(
            account, state=state, created_at=now - timedelta(minutes=number), **fields
        ).public_id
        for number, state in enumerate(states)
    ]


def shown(browser: Client, **query: Any) -> list[str]:
    return [row.public_id for row in browser.get(URL, query).context["cl"].result_list]


def test_parts_of_a_filter_are_merged_by_time(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.admin.messages.MessageAdmin.list_per_page", 2)
    ids = make_some(["unknown", "refused", "delivered", "unknown", "refused"])
    wanted = [one for place, one in enumerate(ids) if place != 2]
    states = {"shown": ["unknown", "refused"]}
    assert shown(browser, **states) + shown(browser, **states, p="2") == wanted
    assert shown(browser, **states, o="7") == wanted[::-1][:2]
    assert browser.get(URL, states).context["cl"].result_count == 4


def test_counts_and_pages_end_at_the_same_number(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.admin.messages.MessageAdmin.list_per_page", 2)
    monkeypatch.setattr(list_pages, "MOST_COUNTED", 4)
    ids = make_some(["delivered"] * 6)
    page = browser.get(URL, {"p": "99"})
    assert "more than 10,000 messages" in page.content.decode()
    assert [row.public_id for row in page.context["cl"].result_list] == ids[2:4]
    assert shown(browser, o="7") == ids[::-1][:2]


def test_an_action_on_more_rows_than_are_counted_is_refused(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_pages, "MOST_COUNTED", 1)
    make_some(["queued", "queued"])
    keys = [str(pk) for pk in Message.objects.values_list("pk", flat=True)]
    form = {"action": "cancel_waiting", "_selected_action": keys, "confirmed": "1"}
    page = browser.post(URL, {**form, "select_across": "1"}, follow=True)
    assert "No change: these are more than" in page.content.decode()
    assert Message.objects.filter(state="queued").count() == 2


def test_many_filters_cover_a_period_and_say_how_to_see_the_rest(browser: Client) -> None:
    account, old = make_account(), timezone.now() - timedelta(days=40)
    (recent,) = make_some(["delivered"], account=account)
    (earlier,) = make_some(["delivered"], account=account, now=old)
    three: dict[str, Any] = {
        "account__id__exact": account.pk,
        "shown": "delivered",
        "country": "CN",
    }
    page = browser.get(URL, three)
    assert [row.public_id for row in page.context["cl"].result_list] == [recent]
    assert "the list covers 31 days" in page.content.decode()
    assert "Choose another period" in page.content.decode()
    date = timezone.localtime(old).date().isoformat()
    day = {"created_at_from_0": date, "created_at_to_0": date}
    page = browser.get(URL, {**three, **day})
    assert [row.public_id for row in page.context["cl"].result_list] == [earlier]
    assert "the list covers" not in page.content.decode()
    del three["country"]
    assert shown(browser, **three) == [recent, earlier]


def test_many_filters_cover_the_end_of_a_long_period(browser: Client) -> None:
    old = timezone.now() - timedelta(days=40)
    account = make_account()
    make_some(["delivered"], account=account)
    (earlier,) = make_some(["delivered"], account=account, now=old)
    make_some(["delivered"], account=account, now=old - timedelta(days=40))
    two = {"country": "CN", "shown": "delivered", "created_at_from_0": "2020-01-01"}
    end = timezone.localtime(old).date().isoformat()
    assert shown(browser, **two, created_at_to_0=end) == [earlier]


def test_every_combination_of_two_filters_is_served_or_bounded(client: Client) -> None:
    """By an index, or by a period of 31 days."""
    client.force_login(make_user("messaging.view_message", "messaging.view_batch"))
    batch = start_batch(make_batch(numbers(1)))
    # A filter is offered only if it has a choice.
    message = make_message(reason="content")
    make_message(make_account(name="other"))
    values = {
        "shown": "delivered",
        "account__id__exact": message.account_id,
        "kind__exact": "text",
        "created_by__id__exact": message.created_by_id,
        "country": "CN",
        "reason": "content",
        "batch": batch.public_id,
        "conflict": "1",
    }
    unbounded = set()
    for pair in combinations(values, 2):
        for order in ("", "7"):
            chosen: dict[str, Any] = {name: values[name] for name in pair}
            query = {**chosen, "period": "all", "o": order}
            if client.get(URL, query).context["cl"].bounds is None:
                unbounded.add(pair)
    assert unbounded == {("shown", "account__id__exact"), ("shown", "batch")}


def test_rows_of_a_batch_are_in_the_usual_order(client: Client) -> None:
    client.force_login(make_user("messaging.view_message", "messaging.view_batch"))
    batch = start_batch(make_batch(numbers(3)))
    make_message()
    rows = Message.objects.filter(batch=batch)
    ids = list(rows.order_by("-created_at", "-pk").values_list("public_id", flat=True))
    assert len(ids) == 3
    assert shown(client, batch=batch.public_id) == ids
    # Without actions, the column of the time is one place further to the left.
    assert shown(client, batch=batch.public_id, o="6") == ids[::-1]
    assert shown(client, batch="nothing") == []


def test_a_search_for_a_text_names_its_period(client: Client) -> None:
    client.force_login(make_user("messaging.view_message", "messaging.reveal_message"))
    old = timezone.now() - timedelta(days=8)
    (recent,) = make_some(["delivered"], text="lost parcel")
    (earlier,) = make_some(["delivered"], text="lost parcel", now=old)
    page = client.get(URL, {"q": "lost"})
    assert [row.public_id for row in page.context["cl"].result_list] == [recent]
    (chip,) = page.context["cl"].chips
    assert chip.text.startswith("Texts from 20")
    since = {"created_at_from_0": (old - timedelta(days=1)).date().isoformat()}
    assert earlier in shown(client, q="lost", **since)


def test_a_search_for_a_text_reads_a_number_of_rows_and_says_so(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exact_search, "MOST_READ", 2)
    client.force_login(make_user("messaging.view_message", "messaging.reveal_message"))
    ids = make_some(["delivered"] * 6, text="lost parcel")
    page = client.get(URL, {"q": "lost"})
    assert [row.public_id for row in page.context["cl"].result_list] == ids[:3]
    assert "were searched. Choose another start" in page.content.decode()
    first = timezone.localtime(timezone.now() - timedelta(days=1)).date().isoformat()
    assert shown(client, q="lost", created_at_from_0=first) == ids[3:]


def test_a_number_is_found_whatever_its_age(browser: Client) -> None:
    old = timezone.now() - timedelta(days=400)
    (found,) = make_some(["delivered"], recipient="+8613912345601", now=old)
    make_some(["delivered"], recipient="+8613912345602")
    assert shown(browser, q="139 1234 5601") == [found]
