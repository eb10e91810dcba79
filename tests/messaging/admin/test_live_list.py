"""An open list of messages updates its rows."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging.models import Message
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db

URL = "/messaging/message/changes/"


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(make_user("messaging.view_message"))
    return client


def test_changes_return_labels_of_the_requested_rows(browser: Client) -> None:
    message = make_message()
    Message.objects.update(state="unknown")
    answer = browser.get(URL, headers={"X-Rows": f"{message.public_id},nobody"}).json()
    assert list(answer["rows"]) == [message.public_id]
    assert "Outcome unknown" in answer["rows"][message.public_id]["state_"]


def test_newer_messages_are_counted_within_the_filters(browser: Client) -> None:
    account = make_account()
    first = make_message(account)
    make_message(account)
    make_message(account, kind="provider_code")
    rows = {"X-Rows": first.public_id}
    assert browser.get(URL, headers=rows).json()["newer"] == "Show 2 new"
    assert browser.get(f"{URL}?kind__exact=text", headers=rows).json()["newer"] == "Show 1 new"


def test_empty_list_gets_no_changes(browser: Client) -> None:
    make_message()
    assert browser.get(URL).json() == {"rows": {}, "newer": ""}


def test_changes_hold_no_number(browser: Client) -> None:
    message = make_message(recipient="+8613912345678")
    answer = browser.get(URL, headers={"X-Rows": message.public_id})
    assert "12345678" not in answer.content.decode()


def test_changes_require_login(client: Client) -> None:
    assert client.get(URL).status_code == 401


def test_query_count_does_not_grow_with_the_rows(browser: Client) -> None:
    account, by = make_account(), make_user()
    rows = [make_message(account, by=by).public_id for _ in range(8)]

    def count_queries(count: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            browser.get(URL, headers={"X-Rows": ",".join(rows[:count])})
        return len(captured)

    count_queries(1)
    assert count_queries(8) == count_queries(2)


def test_changes_read_neither_choices_nor_counts_of_the_list(browser: Client) -> None:
    message = make_message()
    with CaptureQueriesContext(connection) as asked:
        browser.get(f"{URL}?shown=queued", headers={"X-Rows": message.public_id})
    queries = [one["sql"] for one in asked]
    assert not [
        sql for sql in queries if "RECURSIVE" in sql or sql.startswith('SELECT "messaging_batch"')
    ]
    counts = [sql for sql in queries if "COUNT(" in sql and '"messaging_message"' in sql]
    assert len(counts) == 1, counts
    assert "LIMIT 100" in counts[0]
