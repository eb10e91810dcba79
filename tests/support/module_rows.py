"""Rows that the tests of a module share, because making them takes longer than most tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from pytest_django import DjangoDbBlocker


@contextmanager
def undone_after_module(blocker: DjangoDbBlocker) -> Iterator[None]:
    """Undo what the block and the tests after it write. Each test also undoes its own changes.

    For fixtures of a module whose tests all need the rows; the others would see them, too.
    """
    with blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)
