"""Errors on a visitor's pages are recorded."""

from __future__ import annotations

import pytest
from playwright.sync_api import Error

from tests.support.wait_until import wait_until

from .conftest import MakeVisitor
from .visitor import Visitor

pytestmark = pytest.mark.any_database


def has_errors(visitor: Visitor) -> bool:
    """Whether the visitor has errors. Console messages have arrived once the page answers."""
    visitor.page.evaluate("null")
    return bool(visitor.errors)


def test_server_error_is_recorded(operator: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messaging.admin.MessageAdmin.get_queryset", None)
    with operator.expecting("500"):
        operator.page.goto("/messaging/message/")
        wait_until(lambda: has_errors(operator))


def test_request_to_another_host_is_recorded(operator: Visitor) -> None:
    operator.page.goto("/")
    with operator.expecting("example.com"):
        operator.page.evaluate("fetch('http://example.com/').catch(() => null)")
        wait_until(lambda: has_errors(operator))


def test_other_hosts_are_not_resolved(make_visitor: MakeVisitor) -> None:
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        make_visitor().page.goto("http://example.com/")
