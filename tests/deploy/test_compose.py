"""compose.yaml as it is, with PostgreSQL and Caddy from Debian's packages as its images."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.docker_engine import INSIDE, Engine
from tests.support.portal_images import build, import_root, send_one
from tests.support.wait_until import wait_until

pytestmark = [pytest.mark.long, pytest.mark.any_database]
HERE: Final = Path(__file__).parent / "containers"
MADE: Final = {
    "postgres:17-trixie": ("database", ("postgresql-17", "util-linux")),
    "caddy:2": ("proxy", ("caddy",)),
}
"""The images that compose.yaml names, and of what they are made here."""
ACCOUNTS: Final = "from smsportal.demo.accounts import create_missing_accounts as make; make()"
SHELL: Final = """
export DATABASE_URL="postgres://portal:$(cat /run/secrets/database_password)@database/portal"
exec python manage.py shell --no-imports --command "$0"
"""


class Site:
    def __init__(self, engine: Engine, password: str) -> None:
        self.engine, self.password = engine, password
        project = INSIDE / "project"
        files = (project / "deploy/compose.yaml", project / "tests/deploy/containers/trial.yaml")
        self._compose = ["compose", *(f"--file={file}" for file in files)]

    def compose(self, *arguments: str) -> str:
        run = self.engine.docker(*self._compose, *arguments, PUBLIC_HOST="localhost")
        return run.stdout.strip()

    def run(self, service: str, script: str, *arguments: str) -> str:
        return self.compose("exec", "-T", service, "sh", "-c", script, *arguments)

    def services(self) -> dict[str, dict[str, Any]]:
        rows = [json.loads(line) for line in self.compose("ps", "--format=json").splitlines()]
        return {row["Service"]: row for row in rows}

    def is_healthy(self) -> bool:
        health = {name: row["Health"] for name, row in self.services().items()}
        assert "unhealthy" not in health.values(), self.compose("logs", "--tail=30")
        return all(health.get(name) == "healthy" for name in ("web", "work", "database"))


@pytest.fixture(scope="module")
def site(engine: Engine) -> Iterator[Site]:
    for image, (name, packages) in MADE.items():
        import_root(engine, packages, f"local/{name}")
        folder = engine.work / name
        folder.mkdir()
        shutil.copy(HERE / f"{name}.sh", folder / "start.sh")
        dockerfile = f'FROM local/{name}\nCOPY start.sh /\nCMD ["sh", "/start.sh"]\n'
        build(engine, folder, dockerfile, image)
    # As the head of compose.yaml says.
    folder = engine.work / "project/deploy/secrets"
    folder.mkdir(mode=0o700)
    passwords = {name: secrets.token_hex(24) for name in ("database_password", "admin_password")}
    for name, password in passwords.items():
        (folder / name).write_text(f"{password}\n")
        (folder / name).chmod(0o444)
    site = Site(engine, passwords["admin_password"])
    site.compose("up", "--detach", "--no-build", "--pull=never")
    wait_until(site.is_healthy, at_most=400)
    site.run("web", SHELL, ACCOUNTS)
    yield site
    site.compose("down", "--volumes", "--timeout=130")


def test_message_goes_from_the_browser_over_tls_to_the_provider(site: Site) -> None:
    send_one(site.engine.pid, "https://localhost", "admin", site.password)


def test_secrets_are_no_part_of_the_environment(site: Site) -> None:
    file = "deploy/secrets/database_password"
    password = (site.engine.work / "project" / file).read_text().strip()
    for name in ("web", "work", "database"):
        shown = site.engine.said("inspect", site.services()[name]["Name"])
        assert f"/project/{file}" in shown
        assert password not in shown
        assert site.password not in shown


def test_site_comes_back_with_its_data(site: Site) -> None:
    keys = "sha256sum /data/keys.env"
    before = site.run("web", keys)
    site.compose("down", "--timeout=130")
    site.compose("up", "--detach", "--no-build", "--pull=never")
    wait_until(site.is_healthy, at_most=300)
    assert site.run("work", keys) == before
    # The database, too: the account of this administrator is in it.
    send_one(site.engine.pid, "https://localhost", "admin", site.password)
