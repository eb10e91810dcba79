"""Each lock file pins what the portal requires, and its extras, at the same versions."""

from __future__ import annotations

import re
import tomllib

import pytest

from smsportal.configuration.environment import BASE_DIR

PINNED = re.compile(r"^([a-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", re.MULTILINE)
NAMED = re.compile(r"^[A-Za-z0-9._-]+")
EXTRAS = {
    "requirements.lock": (),
    "requirements-sentry.lock": ("sentry",),
    "requirements-dev.lock": ("dev", "sentry"),
    "requirements-mutants.lock": ("dev", "sentry", "mutants"),
}


def _pins(lock_file: str) -> dict[str, str]:
    return dict(PINNED.findall((BASE_DIR / lock_file).read_text()))


@pytest.mark.parametrize("lock_file", EXTRAS)
def test_a_lock_file_pins_all_that_it_must_install(lock_file: str) -> None:
    project = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]
    required = list(project["dependencies"])
    for extra in EXTRAS[lock_file]:
        required += project["optional-dependencies"][extra]
    names = {re.sub(r"[._-]+", "-", NAMED.findall(entry)[0]).lower() for entry in required}

    assert names - _pins(lock_file).keys() == set()


@pytest.mark.parametrize("lock_file", [name for name, extras in EXTRAS.items() if extras])
def test_a_lock_file_with_extras_pins_the_versions_that_the_portal_runs_with(
    lock_file: str,
) -> None:
    assert _pins("requirements.lock").items() <= _pins(lock_file).items()


def test_every_lock_file_is_known() -> None:
    assert {path.name for path in BASE_DIR.glob("requirements*.lock")} == EXTRAS.keys()
