"""The version, as commands and other programs are told it."""

from __future__ import annotations

import pytest

from smsportal import portal
from smsportal.environment import BASE_DIR
from smsportal.version import portal_version

pytestmark = pytest.mark.any_database


def test_version_is_that_of_the_project() -> None:
    assert f'version = "{portal_version()}"' in (BASE_DIR / "pyproject.toml").read_text()


def test_command_prints_the_version_and_starts_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        portal.main(["--version"])
    assert (ended.value.code, capsys.readouterr().out.strip()) == (0, portal_version())
