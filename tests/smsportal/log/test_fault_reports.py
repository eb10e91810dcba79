"""Reports of faults say where they were, and nothing that people, providers or settings said."""

from __future__ import annotations

import gzip
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Final

import brotli  # type: ignore[import-untyped]
import pytest
from django.conf import settings as portal_settings
from django.test import Client
from pytest_django import Settings

from core import request_reference
from smsportal.log import fault_reports

sentry_sdk = pytest.importorskip("sentry_sdk")

NUMBER: Final = "+8613912345678"
CODE: Final = "code-902817"
TEXT: Final = "Your parcel waits behind the violet door"
SECRET: Final = "secret-of-the-provider"
PLANTED: Final = (NUMBER, NUMBER[3:], CODE, TEXT, "violet", SECRET, "query-string", "a-cookie")
KEY: Final = "key-of-the-dsn"


class Sink(HTTPServer):
    """A server of reports that keeps what it gets."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Collector)
        self.bodies: list[bytes] = []

    def text(self) -> str:
        return b"\n".join(self.bodies).decode()

    def events(self) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.text().splitlines() if line]
        return [line for line in lines if "event_id" in line and "level" in line]


class Collector(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        unpack = {"gzip": gzip.decompress, "br": brotli.decompress}
        self.server.bodies.append(unpack[self.headers["Content-Encoding"]](body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        """No line for each report."""


@pytest.fixture
def sink(settings: Settings) -> Iterator[Sink]:
    with Sink() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        settings.SENTRY_DSN = f"http://{KEY}@127.0.0.1:{server.server_port}/7"
        fault_reports.connect()
        yield server
        sentry_sdk.init()
        request_reference.set_current("")
        server.shutdown()
        thread.join()


def reported(sink: Sink) -> list[dict[str, Any]]:
    sentry_sdk.flush(10)
    text = sink.text()
    assert [planted for planted in PLANTED if planted in text] == []
    assert str(portal_settings.SECRET_KEY) not in text
    return sink.events()


def fail(number: str, options: dict[str, str]) -> None:
    held = f"{TEXT} {options}"
    raise ValueError(f"{number} {CODE} {held}")


def test_error_is_reported_with_its_place_and_without_values(sink: Sink) -> None:
    request_reference.set_current("ABCD-2345")
    logger = logging.getLogger("providers.engine")
    try:
        try:
            fail(NUMBER, {"password": SECRET})
        except ValueError as error:
            raise RuntimeError(f"{TEXT} {SECRET}") from error
    except RuntimeError:
        logger.exception("No answer to %s: %s", NUMBER, TEXT, extra={"code": CODE})
    (event,) = reported(sink)
    assert event["tags"] == {"request_id": "ABCD-2345"}
    assert (event["logger"], event["level"]) == ("providers.engine", "error")
    assert event["logentry"]["message"].startswith(
        "ERROR at tests/smsportal/log/test_fault_reports.py:"
    )
    kinds = [one["type"] for one in event["exception"]["values"]]
    assert kinds == ["ValueError", "RuntimeError"]
    frames = event["exception"]["values"][0]["stacktrace"]["frames"]
    assert frames[-1]["function"] == "fail"
    assert {name for frame in frames for name in frame} <= set(fault_reports.KEPT_OF_FRAME)


def test_error_in_the_log_without_an_exception_is_reported_by_place(sink: Sink) -> None:
    logging.getLogger("providers").error(f"{NUMBER} {SECRET}")  # noqa: G004
    logging.getLogger("providers").warning("Only a warning about %s", NUMBER)
    (event,) = reported(sink)
    assert "exception" not in event
    assert set(event["logentry"]) == {"message"}


def test_error_that_ends_a_thread_is_reported(sink: Sink, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    thread = threading.Thread(target=fail, args=(NUMBER, {"secret": SECRET}))
    thread.start()
    thread.join()
    (event,) = reported(sink)
    assert event["exception"]["values"][0]["type"] == "ValueError"


@pytest.mark.django_db
def test_failed_page_reports_nothing_of_its_request(
    sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "smsportal.middleware.null_characters.NullCharactersMiddleware.__call__",
        lambda *_: fail(NUMBER, {"secret": SECRET}),
    )
    browser = Client(raise_request_exception=False)
    browser.cookies["smsportal_session"] = "a-cookie"
    fields = {"username": TEXT, "password": SECRET}
    answer = browser.post(f"/login/?query-string={NUMBER}", fields, HTTP_AUTHORIZATION=SECRET)
    assert answer.status_code == 500
    events = reported(sink)
    assert [event["tags"] for event in events] == [{"request_id": answer["X-Request-ID"]}]
    assert not any(set(event) & {"request", "user", "breadcrumbs", "extra"} for event in events)


def test_without_a_dsn_nothing_is_connected(settings: Settings) -> None:
    settings.SENTRY_DSN = ""
    fault_reports.connect()
    assert not sentry_sdk.get_client().dsn
    assert fault_reports.check_library() == []


def test_dsn_without_the_library_is_an_error_that_says_what_to_install(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SENTRY_DSN = "https://key@reports.example.com/7"
    monkeypatch.setattr(fault_reports, "find_spec", lambda _: None)
    (found,) = fault_reports.check_library()
    assert (found.id, "requirements-sentry.lock" in str(found.hint)) == ("smsportal.E070", True)
    assert "example.com" not in f"{found.msg} {found.hint}"
