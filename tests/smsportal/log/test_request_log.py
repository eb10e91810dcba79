"""The web server's log names the same client as the portal."""

from __future__ import annotations

import runpy
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from pytest_django import Settings

from smsportal.configuration.environment import BASE_DIR


@pytest.fixture(scope="module")
def logger() -> Any:
    portal_logger: Any = runpy.run_path(str(BASE_DIR / "gunicorn.conf.py"))["PortalLogger"]
    return portal_logger(Config())


def client_in_log(logger: Any, environ: dict[str, str]) -> str:
    answer = SimpleNamespace(status="200 OK", sent=1, headers=[])
    request = SimpleNamespace(headers=[])
    environ = {
        "REQUEST_METHOD": "GET",
        "RAW_URI": "/",
        "PATH_INFO": "/",
        "SERVER_PROTOCOL": "HTTP/1.1",
        **environ,
    }
    atoms = logger.atoms(answer, request, environ, timedelta(seconds=1))
    return str(atoms["h"])


@pytest.mark.parametrize(
    ("trusted", "count", "sender", "expected"),
    [
        ([], 0, "198.51.100.7", "198.51.100.7"),
        (["10.0.0.0/8"], 0, "10.0.0.1", "203.0.113.9"),
        (["unix"], 0, "", "203.0.113.9"),
        ([], 1, "", "203.0.113.9"),
        ([], 0, "", "-"),
    ],
)
def test_log_names_the_client_behind_the_proxy(
    settings: Settings, logger: Any, trusted: list[str], count: int, sender: str, expected: str
) -> None:
    settings.TRUSTED_PROXIES, settings.PROXY_COUNT = trusted, count
    environ = {"REMOTE_ADDR": sender, "HTTP_X_FORWARDED_FOR": "1.2.3.4, 203.0.113.9"}
    assert client_in_log(logger, environ) == expected
