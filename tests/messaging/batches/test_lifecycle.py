"""Pruning deletes the staged rows of old batches and keeps their messages."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from messaging.batches import lifecycle, tasks
from messaging.models import Batch, FilePart, Message, StagedRow
from providers.error_texts import explain
from tests.factories.batches import make_batch, numbers, start_batch

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _thirty_days(settings: Settings) -> None:
    settings.JOURNAL_DAYS = 30


def make_cancelled(days_ago: int) -> Batch:
    """A cancelled batch of three messages and one refused row."""
    batch = start_batch(make_batch(f"{numbers(3)}\n12"))
    lifecycle.cancel(batch, batch.created_by)
    tasks.cancel_rest(batch.pk)
    Batch.objects.filter(pk=batch.pk).update(ended_at=timezone.now() - timedelta(days=days_ago))
    return batch


def test_prune_deletes_rows_of_old_batches_and_keeps_messages_and_figures() -> None:
    batch = make_cancelled(31)
    FilePart.objects.create(batch=batch, number=9, data=b"13900000000")
    assert tasks.prune() == 5
    batch.refresh_from_db()
    assert (batch.good, batch.refused, Message.objects.filter(batch=batch).count()) == (3, 1, 3)
    assert not StagedRow.objects.exists()
    assert not FilePart.objects.exists()


def test_prune_keeps_rows_of_recently_ended_batches() -> None:
    make_cancelled(29)
    assert tasks.prune() == 0
    assert StagedRow.objects.count() == 4


@pytest.mark.parametrize("state", ["reading", "unreadable", "ready"])
def test_prune_ends_batches_that_nobody_started(state: str) -> None:
    batch = make_batch(numbers(3))
    FilePart.objects.create(batch=batch, number=9, data=b"13900000000")
    changes = {"state": state, "created_at": timezone.now() - timedelta(days=31)}
    Batch.objects.filter(pk=batch.pk).update(**changes)
    assert tasks.prune() == 3 + 2
    batch.refresh_from_db()
    assert (batch.state, batch.reason) == ("cancelled", "never_started")
    assert "Not started within 30 days" in explain(batch.reason).title
    assert not StagedRow.objects.exists()
    assert not FilePart.objects.exists()
    assert tasks.prune() == 0


def test_prune_keeps_batches_that_may_still_be_started() -> None:
    make_batch(numbers(3))
    Batch.objects.update(created_at=timezone.now() - timedelta(days=29))
    assert tasks.prune() == 0
    assert Batch.objects.get().state == "ready"


def test_prune_keeps_rows_of_unfinished_batches() -> None:
    batch = start_batch(make_batch(numbers(3)))
    Batch.objects.filter(pk=batch.pk).update(created_at=timezone.now() - timedelta(days=400))
    assert tasks.prune() == 0
    assert StagedRow.objects.count() == 3
