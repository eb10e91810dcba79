"""The portal's keys are made once, kept private, and never written over."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from smsportal.environment import BASE_DIR, ensure_keys, read_environment


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, and an environment without keys that is restored afterwards."""
    monkeypatch.setattr(os, "environ", {"ENV_FILE": "", "DATA_DIR": str(tmp_path)})
    monkeypatch.setattr("environ.Env.ENVIRON", os.environ)
    return tmp_path


def test_both_keys_are_made_at_the_first_start(fresh: Path) -> None:
    assert ensure_keys() == fresh / "keys.env"
    env, data_dir = read_environment()
    assert data_dir == fresh
    assert len(env.str("SECRET_KEY")) >= 50
    assert Fernet(env.str("SECRETS_KEYS"))


def test_the_file_of_keys_is_readable_by_its_owner_only(fresh: Path) -> None:
    ensure_keys()
    assert stat.S_IMODE((fresh / "keys.env").stat().st_mode) == 0o600


def test_existing_keys_are_kept(fresh: Path) -> None:
    ensure_keys()
    before = (fresh / "keys.env").read_text()
    assert ensure_keys() is None
    assert (fresh / "keys.env").read_text() == before


def test_only_the_missing_key_is_made(fresh: Path) -> None:
    os.environ["SECRET_KEY"] = "from the environment"
    ensure_keys()
    assert (fresh / "keys.env").read_text().startswith("SECRETS_KEYS=")


def test_no_file_is_written_when_the_environment_names_both_keys(fresh: Path) -> None:
    os.environ.update(SECRET_KEY="one", SECRETS_KEYS="two")
    assert ensure_keys() is None
    assert not (fresh / "keys.env").exists()


def test_the_demonstration_is_set_up_by_one_word(fresh: Path) -> None:
    del os.environ["DATA_DIR"]
    os.environ.update(DEMO="true", BIND="127.0.0.1:9100", SANDBOX_BIND="127.0.0.1:9101")
    env, data_dir = read_environment()
    assert data_dir == BASE_DIR / "data" / "demo"
    assert env.str("PUBLIC_ADDRESS") == "http://127.0.0.1:9100"
    assert env.str("SANDBOX_URL") == "http://127.0.0.1:9101"
    assert env.bool("ALLOW_PRIVATE_PROVIDERS")


def test_the_demonstration_changes_nothing_that_was_chosen(fresh: Path) -> None:
    os.environ.update(DEMO="true", PUBLIC_ADDRESS="https://demo.example.com")
    env, data_dir = read_environment()
    assert data_dir == fresh
    assert env.str("PUBLIC_ADDRESS") == "https://demo.example.com"


def test_every_setting_is_explained_in_the_example_and_no_other() -> None:
    sources = "".join(path.read_text() for path in (BASE_DIR / "smsportal").glob("*.py"))
    known = set(re.findall(r'\benv\.\w+\(\s*"([A-Z_]+)"', sources))
    explained = set(re.findall(r"^#?([A-Z_]+)=", (BASE_DIR / ".env.example").read_text(), re.M))
    assert explained == known
