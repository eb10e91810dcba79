"""Nothing that goes wrong on a visitor's pages is missed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Error

from tests.support.wait_until import wait_until

from .conftest import MakeVisitor
from .visitor import Visitor

pytestmark = pytest.mark.any_database


def has_noted(visitor: Visitor) -> bool:
    """What the console said has come by the time that the page answers."""
    visitor.page.evaluate("null")
    return bool(visitor.troubles)


def test_a_page_at_fault_is_noted(operator: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.admin.MessageAdmin.get_queryset", None)
    with operator.expecting("500"):
        operator.page.goto("/messaging/message/")
        wait_until(lambda: has_noted(operator))


def test_asking_somebody_else_is_noted(operator: Visitor) -> None:
    operator.page.goto("/")
    with operator.expecting("example.com"):
        operator.page.evaluate("fetch('http://example.com/').catch(() => null)")
        wait_until(lambda: has_noted(operator))


def test_nobody_else_is_found(make_visitor: MakeVisitor) -> None:
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        make_visitor().page.goto("http://example.com/")
