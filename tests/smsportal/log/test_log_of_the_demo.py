"""With LOG_FORMAT=json, every line of a whole demo is JSON, whichever process writes it."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest
import requests
from django.db import connection

from core.request_reference import parse
from providers.models import Account
from smsportal.demo.accounts import ACCOUNTS
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.support.hosts import Host, free_port
from tests.upgrade import databases

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
FIELDS: Final = {"asctime", "levelname", "name", "request_id", "message"}
TIMEOUT: Final = 60.0


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Host]:
    """A demo on a copy of the tests' database, so that it neither migrates nor writes a month."""
    make_message(make_account(name=ACCOUNTS[1].name), state="delivered")
    Account.objects.exclude(name=ACCOUNTS[1].name).delete()
    with ExitStack() as stack:
        original = str(connection.settings_dict["NAME"])
        connection.close()
        name = databases.copy_of(original, tmp_path, f"log_{os.getpid()}")
        stack.callback(databases.drop, name)
        keys = {key: os.environ[key] for key in ("SECRET_KEY", "SECRETS_KEYS")}
        host = Host(
            tmp_path / "host",
            name,
            SANDBOX_BIND=f"127.0.0.1:{free_port()}",
            LOG_FORMAT="json",
            LOG_LEVEL="DEBUG",
            **keys,
        )
        stack.callback(host.stop)
        yield host


def send_nonsense(address: str) -> None:
    """What the web server itself complains about."""
    host, _colon, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=TIMEOUT) as client:
        client.sendall(b"NONSENSE\r\n\r\n")
        client.recv(1024)


def test_every_line_of_every_process_is_json_with_its_zone(demo: Host) -> None:
    demo.start("--demo")
    demo.wait_until_ready()
    requests.get(f"http://{demo.web}/nothing/here/", timeout=TIMEOUT)
    refused = requests.post(f"http://{demo.web}/login/", data={"username": "a"}, timeout=TIMEOUT)
    assert refused.status_code == 403
    send_nonsense(demo.web)
    sandbox = f"http://{demo.environment['SANDBOX_BIND']}"
    assert requests.post(f"{sandbox}/_alerts/x", data=b"{", timeout=TIMEOUT).ok
    assert demo.process is not None
    demo.process.send_signal(signal.SIGINT)
    assert demo.exit_code() == 0, demo.log()

    lines: list[dict[str, Any]] = [json.loads(line) for line in demo.log().splitlines()]
    for line in lines:
        assert line.keys() >= FIELDS, line
        assert datetime.fromisoformat(line["asctime"]).utcoffset() is not None, line
        assert line["message"], line
        assert line["request_id"] in ("-", parse(line["request_id"])), line
    said = {line["name"] for line in lines}
    assert said >= {"smsportal", "gunicorn.error", "django-q"}, said
    reference = refused.headers["X-Request-ID"]
    assert [line for line in lines if line["request_id"] == reference], lines
