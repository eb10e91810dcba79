"""The distinct values of a column, asked from its index."""

from __future__ import annotations

import pytest

from core.distinct_values import distinct_values
from messaging.models import Message
from tests.factories.messages import make_message

pytestmark = pytest.mark.django_db


def test_each_value_is_found_once() -> None:
    for reason in ("", "b", "a", "b", "", "c"):
        make_message(reason=reason)
    assert distinct_values(Message, "reason") == ["a", "b", "c"]


def test_an_empty_table_has_no_values() -> None:
    assert distinct_values(Message, "country") == []
