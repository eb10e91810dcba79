"""The version, as commands and other programs are told it."""

from __future__ import annotations

import pytest
from django.utils.html import escape

from smsportal import portal
from smsportal.configuration.environment import BASE_DIR
from smsportal.version import portal_version
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.any_database


def test_version_is_that_of_the_project() -> None:
    assert f'version = "{portal_version()}"' in (BASE_DIR / "pyproject.toml").read_text()


def test_command_prints_the_version_and_starts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        portal.main(["--version"])
    assert (ended.value.code, capsys.readouterr().out.strip()) == (0, portal_version())


@pytest.mark.django_db
def test_frame_shows_the_version_to_administrators_only() -> None:
    shown = escape(f"Version {portal_version()}")
    assert shown in browser_of(member(superuser=True)).get("/").content.decode()
    assert shown not in browser_of(member("manager")).get("/").content.decode()
