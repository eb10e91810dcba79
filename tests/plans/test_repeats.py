"""A list asks each question once, and no more of them for more rows."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from core.admin.base import PortalAdmin
from tests.plans.rows import make_rows

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

PAGES: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("/", {}),
    ("/messaging/message/", {}),
    ("/messaging/message/", {"shown": "submitted_no_report"}),
    ("/messaging/message/", {"shown": ["undelivered", "expired", "refused"]}),
    ("/messaging/message/", {"country": "CN", "kind__exact": "text", "shown": "delivered"}),
    ("/messaging/message/", {"q": "+8613900000077"}),
    ("/messaging/message/", {"q": "parcel"}),
    ("/messaging/batch/", {}),
    ("/otp/session/", {"period": "all"}),
    ("/otp/session/", {"sms": "delivered"}),
    ("/otp/session/", {"q": "+8613900000077"}),
    ("/rentals/order/", {}),
    ("/rentals/order/", {"project": "whatsapp"}),
    ("/rentals/order/board/", {"scope": "team"}),
    ("/rentals/transaction/", {}),
    ("/rentals/finding/", {}),
    ("/providers/account/", {}),
    ("/providers/apicall/", {}),
    ("/providers/apicall/", {"status": "4"}),
    ("/providers/callback/", {}),
)
OF_A_REQUEST: Final = ("SAVEPOINT", "RELEASE", "BEGIN", "PRAGMA", "COMMIT")


def asked(client: Client, address: str, query: dict[str, Any]) -> list[str]:
    cache.clear()
    client.get(address, query)
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address, query).status_code == 200
    return [one["sql"] for one in captured if not one["sql"].startswith(OF_A_REQUEST)]


def test_no_question_is_asked_twice(client: Client) -> None:
    make_rows()
    client.force_login(User.objects.create_superuser("boss"))
    repeated = [
        f"{address} {query}: {times} times {sql[:400]}"
        for address, query in PAGES
        for sql, times in Counter(asked(client, address, query)).items()
        if times > 1
    ]
    assert not repeated, "\n\n".join(repeated)


def test_more_rows_take_no_more_questions(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    make_rows()
    client.force_login(User.objects.create_superuser("boss"))
    lists = [(address, query) for address, query in PAGES if "q" not in query and address != "/"]
    many = [len(asked(client, *page)) for page in lists]
    monkeypatch.setattr(PortalAdmin, "list_per_page", 2)
    few = [len(asked(client, *page)) for page in lists]
    grown = [page for page, before, after in zip(lists, few, many, strict=True) if after > before]
    assert not grown
