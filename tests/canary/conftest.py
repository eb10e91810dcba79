"""The portal under test, its providers and its staff."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from sandbox.server import Sandbox
from tests.canary.echo import Echo
from tests.canary.person import Person
from tests.canary.planted import ROLES, SECRETS, STAFF_PASSWORD
from tests.canary.portals import InProcessPortal, Portal, SeparatePortal


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def sandbox(settings: Settings) -> Iterator[Sandbox]:
    with Sandbox() as running:
        for provider in ("haorui", "otpservice"):
            running.change_settings(provider, report_delay=None)
        for provider, secrets in SECRETS.items():
            values = list(secrets.values())
            running.add_account(provider, "canary", *values)
        settings.SANDBOX_URL = running.url
        yield running


@pytest.fixture
def staff(transactional_db: None, settings: Settings) -> dict[str, User]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    # Hashing is slow, so all share one password.
    rows = {"password": make_password(STAFF_PASSWORD), "is_staff": True}
    found = {"chief": User.objects.create(username="chief", is_superuser=True, **rows)}
    for role in ROLES:
        found[role] = User.objects.create(username=f"the-{role}", **rows)
        found[role].groups.add(Group.objects.get(name=role))
    return found


@pytest.fixture(params=["in_process", pytest.param("separate", marks=pytest.mark.long)])
def portal(
    request: pytest.FixtureRequest,
    staff: dict[str, User],
    sandbox: Sandbox,
    settings: Settings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Portal]:
    running: Portal
    if request.param == "in_process":
        caplog.set_level(logging.DEBUG)
        server: LiveServer = request.getfixturevalue("live_server")
        settings.PUBLIC_ADDRESS = server.url
        running = InProcessPortal(server.url, caplog)
    else:
        running = SeparatePortal(tmp_path, sandbox, request.config.cache.mkdir("static"))
    yield running
    running.stop()


@pytest.fixture
def people(portal: Portal, staff: dict[str, User]) -> Iterator[dict[str, Person]]:
    found = {role: Person(portal, user.username) for role, user in staff.items()}
    yield found
    for person in found.values():
        person.leave()
