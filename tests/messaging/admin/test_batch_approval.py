"""The confirm page of a batch that is beyond a limit."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils.html import strip_tags

from messaging.admin.batch_page import fingerprint
from messaging.models import Batch, Message
from providers.approvals import requests
from providers.models import Approval, ApprovalLimit
from tests.factories.approvals import make_approvers, make_limited
from tests.factories.batches import make_batch, numbers

pytestmark = pytest.mark.django_db


@pytest.fixture
def asker() -> User:
    make_approvers()
    return make_limited(messages=2)


@pytest.fixture
def browser(client: Client, asker: User) -> Client:
    client.force_login(asker)
    return client


def page_of(batch: Batch, name: str = "change") -> str:
    return reverse(f"admin:messaging_batch_{name}", args=[batch.public_id])


def post(browser: Client, batch: Batch, name: str = "confirm", **data: str) -> str:
    batch.refresh_from_db()
    data = {"when": "now", "seen": fingerprint(batch), **data}
    answer = browser.post(page_of(batch, name), data, follow=True)
    batch.refresh_from_db()
    return " ".join(strip_tags(answer.content.decode()).split())


def test_page_says_which_limit_is_passed_and_offers_to_request_approval(
    browser: Client, asker: User
) -> None:
    batch = make_batch(numbers(3), by=asker)
    page = strip_tags(browser.get(page_of(batch, "confirm")).content.decode())
    assert "Beyond your limit: a second person must agree." in page
    assert "Limit in 24 hours: 2, used before: 0." in page
    assert "Send 3 messages" not in page
    small = make_batch(numbers(2), by=asker)
    page = strip_tags(browser.get(page_of(small, "confirm")).content.decode())
    assert "Send 2 messages" in page
    assert "Request approval" not in page


def test_direct_post_beyond_the_limit_starts_nothing(browser: Client, asker: User) -> None:
    batch = make_batch(numbers(3), by=asker)
    page = post(browser, batch)
    assert "Beyond your limit" in page
    assert (batch.state, Approval.objects.count()) == ("ready", 0)
    page = post(browser, batch, when="later", day="2026-12-31", clock="10:00")
    assert batch.state == "ready"
    assert not Message.objects.exists()


def test_request_needs_a_reason_and_keeps_what_was_typed(browser: Client, asker: User) -> None:
    batch = make_batch(numbers(3), by=asker)
    assert "Say why." in post(browser, batch, ask="on", why="  ")
    assert batch.state == "ready"
    page = post(browser, batch, ask="on", why="Agreed.")
    assert "Approval requested." in page
    assert "Waiting for approval, requested by" in page
    assert "It can be approved by" in page
    assert batch.state == "awaiting_approval"
    assert Approval.objects.get().why == "Agreed."
    assert "waits for approval, or was rejected" in post(browser, batch)


def test_request_that_is_no_longer_needed_starts_nothing(browser: Client, asker: User) -> None:
    batch = make_batch(numbers(3), by=asker)
    ApprovalLimit.objects.all().delete()
    assert "Approval is no longer needed." in post(browser, batch, ask="on", why="Agreed.")
    assert batch.state == "ready"
    assert not Message.objects.exists()


def test_page_of_the_batch_says_what_was_decided(browser: Client, asker: User) -> None:
    batch = make_batch(numbers(3), by=asker)
    post(browser, batch, ask="on", why="Agreed.")
    approver = make_approvers(1)[0]
    requests.reject(Approval.objects.get(), approver, "No opt-out line.")
    page = strip_tags(browser.get(page_of(batch)).content.decode())
    assert f"Rejected by {approver.username}" in page
    assert "No opt-out line." in page
    assert "Discard this batch" in page


def test_continuing_what_the_queue_did_not_start_requests_approval(
    browser: Client, asker: User
) -> None:
    batch = make_batch(numbers(3), by=asker)
    paused = {"state": "paused", "reason": "approval_needed", "answerable": asker}
    Batch.objects.filter(pk=batch.pk).update(**paused)
    page = strip_tags(browser.get(page_of(batch)).content.decode())
    assert "a second person must agree first" in page
    assert "Approval requested." in post(browser, batch, "continue")
    assert batch.state == "awaiting_approval"
