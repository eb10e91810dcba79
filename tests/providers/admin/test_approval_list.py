"""The list "All decisions": who asked whom for what, and what came of it."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from core.models import Act
from providers.approvals import requests
from providers.models import Approval
from tests.factories.accounts import make_account
from tests.factories.approvals import make_approvers, make_limited, make_request
from tests.factories.staff import make_staff
from tests.support.signed_in import browser_of

pytestmark = pytest.mark.django_db
LIST = reverse("admin:providers_approval_changelist")


@pytest.fixture
def manager() -> User:
    make_approvers()
    return make_staff("manager")


@pytest.fixture
def decided(manager: User) -> dict[str, Approval]:
    """A request that ended in each way, and one that waits."""
    asker = make_limited(messages=2)
    account = make_account(name="HAORUI main", price_per_segment="0.05")
    found = {
        name: make_request(asker, name=name, account=account)[1]
        for name in ("Granted offer", "Rejected offer", "Withdrawn offer", "Waiting offer")
    }
    requests.reject(found["Rejected offer"], manager, "No opt-out line.")
    requests.withdraw(found["Withdrawn offer"], asker)
    requests.grant(found["Granted offer"], manager)
    return found


@pytest.fixture
def browser(manager: User) -> Client:
    return browser_of(manager)


def names_in(browser: Client, query: str = "") -> set[str]:
    page = browser.get(f"{LIST}{query}").content.decode()
    every = ("Granted offer", "Rejected offer", "Withdrawn offer", "Waiting offer")
    return {name for name in every if name in page}


def test_list_says_who_asked_who_decided_and_why(
    browser: Client, manager: User, decided: dict[str, Approval]
) -> None:
    page = browser.get(LIST).content.decode()
    words = " ".join(strip_tags(page).split())
    asker = decided["Granted offer"].asked_by
    for text in ("3 messages", asker.username, manager.username, "No opt-out line.", "HAORUI main"):
        assert text in words, text
    assert names_in(browser) == {"Granted offer", "Rejected offer", "Withdrawn offer"}
    url = reverse("admin:providers_approval_change", args=[decided["Granted offer"].public_id])
    assert f'href="{url}"' in page
    assert f'href="{LIST}"' in browser.get(reverse("admin:approvals")).content.decode()


def test_filters_and_search_narrow_it(
    browser: Client, manager: User, decided: dict[str, Approval]
) -> None:
    assert names_in(browser, "?state=rejected") == {"Rejected offer"}
    assert names_in(browser, "?state=rejected&state=withdrawn") == {
        "Rejected offer",
        "Withdrawn offer",
    }
    assert names_in(browser, "?kind=order") == set()
    assert names_in(browser, f"?decided_by__id__exact={manager.pk}") == {
        "Granted offer",
        "Rejected offer",
    }
    assert names_in(browser, "?q=opt-out") == {"Rejected offer"}
    assert names_in(browser, f"?q={decided['Granted offer'].public_id}") == {"Granted offer"}
    assert names_in(browser, f"?q={manager.username}") == {"Granted offer", "Rejected offer"}


def test_export_holds_what_was_shown(
    browser: Client, manager: User, decided: dict[str, Approval]
) -> None:
    answer = browser.get(f"{LIST}export/?format=csv")
    exported = b"".join(answer).decode("utf-8-sig")
    rows = {row["What"]: row for row in csv.DictReader(io.StringIO(exported))}
    row, approval = rows["Rejected offer"], decided["Rejected offer"]
    assert row["Reason of the decision"] == "No opt-out line."
    assert row["Reason of the request"] == "Agreed with marketing."
    assert (row["Size"], Decimal(row["Cost"])) == ("3", approval.cost)
    assert row["Limits passed"] == "Messages: Limit in 24 hours: 2, used before: 0."
    assert row["Digest of what was shown"] == approval.digest
    assert "Waiting offer" not in rows
    assert Act.objects.filter(what="export", details__rows="providers.approval").exists()


def test_only_who_may_read_all_approvals_opens_it(decided: dict[str, Approval]) -> None:
    asker = decided["Granted offer"].asked_by
    theirs = browser_of(asker)
    assert theirs.get(LIST).status_code == 403
    assert f'href="{LIST}"' not in theirs.get(reverse("admin:approvals")).content.decode()
    assert browser_of(make_staff("auditor")).get(LIST).status_code == 200
    assert browser_of(make_staff("operator")).get(f"{LIST}export/").status_code == 403


def test_object_of_the_list_opens_the_page_of_the_request(
    browser: Client, decided: dict[str, Approval]
) -> None:
    public_id = decided["Granted offer"].public_id
    answer = browser.get(reverse("admin:providers_approval_change", args=[public_id]))
    assert answer.url == reverse("admin:approval", args=[public_id])  # type: ignore[attr-defined]
