"""Registries of functions that contribute to every page."""

from __future__ import annotations

import logging

import pytest
from django.test import RequestFactory

from core.registry import PageSources

REQUEST = RequestFactory().get("/")


def test_sources_are_called_in_order_of_registration() -> None:
    sources: PageSources[str] = PageSources("failed")
    sources.register(lambda _request: ["first"])
    sources.register(lambda _request: ["second", "third"])
    assert sources.gather(REQUEST) == ["first", "second", "third"]


def test_source_registered_twice_is_called_once() -> None:
    sources: PageSources[str] = PageSources("failed")

    def source(_request: object) -> list[str]:
        return ["once"]

    sources.register(source)
    sources.register(source)
    assert sources.gather(REQUEST) == ["once"]


def test_failing_source_is_logged_and_others_still_run(caplog: pytest.LogCaptureFixture) -> None:
    sources: PageSources[str] = PageSources("A source failed.")

    def broken(_request: object) -> list[str]:
        raise RuntimeError

    sources.register(broken)
    sources.register(lambda _request: ["other"])
    with caplog.at_level(logging.ERROR, logger="core.registry"):
        assert sources.gather(REQUEST) == ["other"]
    assert [record.message for record in caplog.records] == ["A source failed."]
