"""The portal's keys are generated once, kept private and never overwritten."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from smsportal.configuration.environment import (
    BASE_DIR,
    default_state_dir,
    ensure_keys,
    read_environment,
)
from smsportal.configuration.setting_rules import RULES


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and an environment without keys, which is restored afterwards."""
    monkeypatch.setattr(os, "environ", {"ENV_FILE": "", "DATA_DIR": str(tmp_path)})
    monkeypatch.setattr("smsportal.configuration.environment.SOURCES", {})
    return tmp_path


def test_first_start_generates_both_keys(data_folder: Path) -> None:
    assert ensure_keys() == data_folder / "keys.env"
    env, data_dir = read_environment()
    assert data_dir == data_folder
    assert len(env.str("SECRET_KEY")) >= 50
    assert Fernet(env.list("SECRETS_KEYS", default=[])[0])


def test_key_file_is_private(data_folder: Path) -> None:
    ensure_keys()
    assert stat.S_IMODE((data_folder / "keys.env").stat().st_mode) == 0o600


def test_existing_keys_are_kept(data_folder: Path) -> None:
    ensure_keys()
    before = (data_folder / "keys.env").read_text()
    assert ensure_keys() is None
    assert (data_folder / "keys.env").read_text() == before


def test_only_the_missing_key_is_generated(data_folder: Path) -> None:
    os.environ["SECRET_KEY"] = "from the environment"
    ensure_keys()
    assert (data_folder / "keys.env").read_text().startswith("SECRETS_KEYS=")


def test_no_file_is_written_if_the_environment_has_both_keys(data_folder: Path) -> None:
    os.environ.update(SECRET_KEY=20 * "k", SECRETS_KEYS=Fernet.generate_key().decode())
    assert ensure_keys() is None
    assert not (data_folder / "keys.env").exists()


def test_demo_variable_sets_all_demo_defaults(data_folder: Path) -> None:
    del os.environ["DATA_DIR"]
    os.environ.update(DEMO="true", BIND="127.0.0.1:9100", SANDBOX_BIND="127.0.0.1:9101")
    env, data_dir = read_environment()
    assert data_dir == BASE_DIR / "data" / "demo"
    assert env.str("PUBLIC_ADDRESS") == "http://localhost:9100"
    assert env.str("SANDBOX_URL") == "http://127.0.0.1:9101"
    assert env.bool("ALLOW_PRIVATE_PROVIDERS")
    assert env.str("LOG_LEVEL") == "WARNING"


@pytest.mark.parametrize("bind", ["0.0.0.0:8000", "[::]:8000"])
def test_demo_that_listens_everywhere_is_reached_by_a_name(data_folder: Path, bind: str) -> None:
    os.environ.update(DEMO="true", BIND=bind)
    assert read_environment()[0].str("PUBLIC_ADDRESS") == "http://localhost:8000"


def test_demo_defaults_do_not_override_settings(data_folder: Path) -> None:
    os.environ.update(DEMO="true", PUBLIC_ADDRESS="https://demo.example.com")
    env, data_dir = read_environment()
    assert data_dir == data_folder
    assert env.str("PUBLIC_ADDRESS") == "https://demo.example.com"


def test_example_file_explains_exactly_the_known_settings() -> None:
    explained = set(re.findall(r"^#?([A-Z_]+)=", (BASE_DIR / ".env.example").read_text(), re.M))
    assert explained == set(RULES) - {"ENV_FILE"}


def test_state_folder_is_in_the_home_of_the_user(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.environ["HOME"] = "/home/portal"
    assert default_state_dir() == "/home/portal/.local/state/smsportal"
    os.environ["XDG_STATE_HOME"] = "/var/state"
    assert default_state_dir() == "/var/state/smsportal"


def test_user_without_a_home_has_no_state_folder(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_home() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", no_home)
    assert default_state_dir() == ""
