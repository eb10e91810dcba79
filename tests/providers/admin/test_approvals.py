"""The inbox "Approvals", the page of a request, and the decision about it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from messaging.models import Batch, Message
from providers import clock
from providers.approvals import requests
from providers.models import Approval
from tests.factories.accounts import make_account
from tests.factories.approvals import make_approvers, make_limited, make_request
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db
INBOX = reverse("admin:approvals")


@pytest.fixture
def manager() -> User:
    make_approvers()
    return make_staff("manager")


@pytest.fixture
def browser(client: Client, manager: User) -> Client:
    client.force_login(manager)
    return client


def words(answer: Any) -> str:
    return " ".join(strip_tags(answer.content.decode()).split())


def page_of(approval: Approval) -> str:
    return reverse("admin:approval", args=[approval.public_id])


def decide(browser: Client, approval: Approval, decision: str, comment: str = "") -> str:
    url = reverse("admin:approval_decide", args=[approval.public_id])
    return words(browser.post(url, {"decision": decision, "comment": comment}, follow=True))


def as_person(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def test_inbox_shows_what_waits_for_me_and_counts_it_in_the_menu(browser: Client) -> None:
    asker = make_limited(messages=2)
    _, _approval = make_request(asker, name="Year-end offer")
    page = words(browser.get(INBOX))
    for text in ("Waiting for me 1", "Year-end offer", "3 messages", asker.username):
        assert text in page
    assert '<span class="nav-badge">1</span>' in browser.get(INBOX).content.decode()
    page = words(as_person(asker).get(INBOX))
    assert "Requested by me 1" in page
    assert "It can be approved by" in page
    assert "Waiting for me" not in page


def test_request_shows_the_whole_preview_and_why_it_is_needed(browser: Client) -> None:
    account = make_account(price_per_segment="0.04")
    asker = make_limited(messages=2, cost="0.10")
    recipients = b"Number,Name\n13912345678,Wei Zhang\n13912345679,Li Na\n13912345670,Bo"
    _batch, approval = make_request(
        asker, recipients=recipients, account=account, text="Dear {Name}, we close at 5."
    )
    answer = browser.get(page_of(approval))
    page = words(answer)
    for text in (
        "3 messages",
        "about 0.12",
        "Limit in 24 hours: 2, used before: 0.",
        "Limit in 24 hours: 0.10, used before: 0.",
        "Dear Wei Zhang, we close at 5.",
        "Agreed with marketing.",
        account.name,
        "China 3",
        "recipients.csv",
        "Approve 3 messages",
    ):
        assert text in page, text
    assert "13912345678" not in answer.content.decode()
    # Whoever may not reveal sees the text with its places only.
    other = make_user("providers.approve", "messaging.view_batch")
    page = words(as_person(other).get(page_of(approval)))
    assert "Wei Zhang" not in page
    assert "Dear {Name}, we close at 5." in page


def test_approving_starts_it_and_a_second_click_says_so(browser: Client) -> None:
    batch, approval = make_request(make_limited(messages=2))
    assert "Approved." in decide(browser, approval, "approve")
    assert Batch.objects.get(pk=batch.pk).state == "sending"
    assert "already been decided" in decide(browser, approval, "approve")
    assert "already been decided" in decide(browser, approval, "reject", "Late")


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_long_comment_decides_nothing_and_stays(browser: Client, decision: str) -> None:
    batch, approval = make_request(make_limited(messages=2))
    comment = "No opt-out line. " * 20
    page = decide(browser, approval, decision, comment)
    assert "This may have at most 200 characters; it has 339. Shorten it." in page
    assert comment.strip() in page
    assert Batch.objects.get(pk=batch.pk).state == "awaiting_approval"


def test_rejecting_needs_a_reason_beside_the_field(browser: Client) -> None:
    batch, approval = make_request(make_limited(messages=2))
    assert "Say why you reject it." in decide(browser, approval, "reject")
    assert Batch.objects.get(pk=batch.pk).state == "awaiting_approval"
    assert "was told" in decide(browser, approval, "reject", "No opt-out line.")
    approval.refresh_from_db()
    assert (approval.state, approval.comment) == ("rejected", "No opt-out line.")
    assert "No opt-out line." in words(browser.get(page_of(approval)))


def test_post_that_names_no_decision_changes_nothing(browser: Client) -> None:
    _, approval = make_request(make_limited(messages=2))
    decide(browser, approval, "", "Comment")
    approval.refresh_from_db()
    assert approval.state == "waiting"


def test_own_request_has_no_buttons_and_its_post_is_refused(manager: User) -> None:
    asker = make_limited(messages=2)
    asker.groups.add(Group.objects.get(name="manager"))
    asker = User.objects.get(pk=asker.pk)
    _, approval = make_request(asker)
    browser = as_person(asker)
    page = words(browser.get(page_of(approval)))
    assert "You cannot approve your own request." in page
    assert "Approve 3 messages" not in page
    assert "no one decides about what they requested" in decide(browser, approval, "approve")
    assert not Message.objects.exists()
    url = reverse("admin:approval_withdraw", args=[approval.public_id])
    assert "Request withdrawn." in words(browser.post(url, follow=True))


def test_change_since_the_request_is_answered_in_words(browser: Client) -> None:
    batch, approval = make_request(make_limited(messages=2))
    Batch.objects.filter(pk=batch.pk).update(text="Another text")
    page = decide(browser, approval, "approve")
    assert "it has changed since approval was requested" in page
    assert "Nothing was sent." in page


def test_others_see_no_request_and_no_inbox(manager: User) -> None:
    _, approval = make_request(make_limited(messages=2))
    operator, viewer = as_person(make_staff("operator")), as_person(make_staff("viewer"))
    assert operator.get(INBOX).status_code == 200
    assert operator.get(page_of(approval)).status_code == 403
    assert viewer.get(INBOX).status_code == 403
    assert operator.post(reverse("admin:approval_decide", args=["x"])).status_code == 403


def test_request_that_waits_long_or_ends_soon_needs_attention(
    browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker = make_limited(messages=2)
    _, approval = make_request(asker)
    home = reverse("admin:index")
    assert "waited long" not in words(browser.get(home))
    Approval.objects.update(asked_at=clock.now() - timedelta(minutes=16))
    assert "1 request has waited long for your approval" in words(browser.get(home))
    assert "1 of your requests has waited long" in words(as_person(asker).get(home))
    soon = clock.now() + timedelta(minutes=29)
    Approval.objects.update(asked_at=clock.now(), due_at=soon, starts_at=soon)
    assert "1 request has waited long for your approval" in words(browser.get(home))
    requests.withdraw(approval, asker)
    assert "waited long" not in words(browser.get(home))


def test_hand_over_lists_approvals_for_me_and_by_me(manager: User) -> None:
    asker = make_limited(messages=2)
    asker.user_permissions.add(*make_user("messaging.view_message").user_permissions.all())
    make_request(asker, name="Year-end offer")
    hand_over = reverse("admin:hand_over")
    page = words(as_person(manager).get(hand_over))
    assert "Approvals waiting for me 1" in page
    assert "Year-end offer" in page
    assert "Waiting for approval, requested by me 1" in words(as_person(asker).get(hand_over))


def test_pages_speak_chinese(browser: Client) -> None:
    _, approval = make_request(make_limited(messages=2), account=make_account(price_per_segment=1))
    assert approval.cost == Decimal(3)
    for url, text in ((INBOX, "待我审批"), (page_of(approval), "需要审批的原因")):
        page = browser.get(url, headers={"Accept-Language": "zh-hans"}).content.decode()
        assert text in page
