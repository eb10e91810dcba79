"""The checks for deployment have nothing to say about the settings that `deploy/` names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.smsportal.configuration.test_setting_rules import A_FILE, environment
from tests.support.hosts import run


@pytest.mark.any_database
@pytest.mark.slow
def test_documented_settings_pass_the_checks_for_deployment(tmp_path: Path) -> None:
    settings = environment(
        tmp_path / "data",
        STATE_DIR=str(tmp_path / "state"),
        PUBLIC_ADDRESS="https://sms.example.com",
        ALLOWED_HOSTS="sms.example.com",
        BEHIND_TLS_PROXY="true",
        TRUSTED_PROXIES="unix",
        BIND=f"unix:{tmp_path / 'web.sock'}",
    )
    assert run(["-m", "smsportal.configuration.environment"], settings).returncode == 0
    ended = run([A_FILE, "check", "--deploy"], settings)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("System check identified no issues")
