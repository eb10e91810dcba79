"""With LOG_FORMAT=json, every line of every process is one JSON object."""

from __future__ import annotations

import io
import json
import logging
import logging.config
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest

from smsportal.log.setup import configure_logs, configure_web_server, log_what_python_prints
from smsportal.log_lines import make_line, write_error

pytestmark = pytest.mark.any_database
LOGGERS = ("smsportal.tasks", "gunicorn.error", "py.warnings", "smsportal.uncaught")
FIELDS = {"asctime", "levelname", "name", "request_id", "message"}


@pytest.fixture(params=["portal", "web server"])
def output(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    """What the loggers of this test write. Afterwards they are as before."""
    configuration = (
        configure_logs("json", "INFO")
        if request.param == "portal"
        else configure_web_server("INFO")
    )
    root = logging.getLogger()
    before = root.handlers[:], root.level, sys.excepthook, threading.excepthook
    logging.config.dictConfig(configuration)
    stream = io.StringIO()
    for name in ("", "gunicorn.error", "gunicorn.access"):
        for handler in logging.getLogger(name).handlers:
            if isinstance(handler, logging.StreamHandler):
                handler.setStream(stream)
    yield stream
    logging.captureWarnings(capture=False)
    for name in ("gunicorn.error", "gunicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    root.handlers[:], root.level, sys.excepthook, threading.excepthook = before


def lines_in(output: io.StringIO) -> list[dict[str, str]]:
    lines = [json.loads(line) for line in output.getvalue().splitlines()]
    # Other threads may log, too.
    return [line for line in lines if line["name"] in LOGGERS]


def test_each_record_is_one_line_with_its_zone(output: io.StringIO) -> None:
    logging.getLogger("smsportal.tasks").info("a text\nof two lines 短信")
    logging.getLogger("gunicorn.error").warning("Worker %s ends", 7)
    first, second = lines_in(output)
    assert first.keys() >= FIELDS
    assert first["message"] == "a text\nof two lines 短信"
    assert first["asctime"].endswith("+00:00")
    assert second["message"] == "Worker 7 ends"


def test_warnings_and_uncaught_errors_are_records(output: io.StringIO) -> None:
    log_what_python_prints("json")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("an old way", stacklevel=1)
    try:
        raise ValueError("a fault")
    except ValueError as error:
        sys.excepthook(ValueError, error, error.__traceback__)

    def fail() -> None:
        raise LookupError("in a thread")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    found = lines_in(output)
    assert [line["levelname"] for line in found] == ["WARNING", "CRITICAL", "ERROR"]
    assert "an old way" in found[0]["message"]
    assert "ValueError: a fault" in found[1]["exc_info"]
    assert "LookupError: in a thread" in found[2]["exc_info"]


def test_plain_output_is_left_to_python() -> None:
    before = sys.excepthook
    log_what_python_prints("plain")
    assert sys.excepthook is before


def test_lines_outside_of_logging_have_the_same_form(monkeypatch: pytest.MonkeyPatch) -> None:
    assert make_line("ready", log_format="plain") == "ready\n"
    monkeypatch.setenv("LOG_FORMAT", "json")
    line = make_line("\nready 就绪")
    assert line.count("\n") == 1
    assert json.loads(line).keys() == FIELDS
    assert json.loads(line)["message"] == "ready 就绪"
    stream = io.StringIO()
    write_error("one\ntwo", stream)
    assert [json.loads(line)["message"] for line in stream.getvalue().splitlines()] == [
        "one",
        "two",
    ]


@pytest.mark.parametrize(
    ("level", "shown"),
    [("DEBUG", [True, True]), ("INFO", [False, True]), ("ERROR", [False, False])],
)
def test_tasks_that_went_well_are_logged_for_those_who_ask(level: str, shown: list[bool]) -> None:
    found = configure_logs("plain", level)["loggers"]["django-q"]["level"]
    assert [number >= logging.getLevelNamesMapping()[found] for number in (20, 30)] == shown
