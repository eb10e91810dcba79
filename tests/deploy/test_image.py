"""The image, built from Debian's packages and run as compose.yaml runs it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.support.docker_engine import INSIDE, Engine
from tests.support.portal_images import PORTAL, READ_ONLY, send_one
from tests.support.wait_until import wait_until

pytestmark = [pytest.mark.long, pytest.mark.any_database]
DEMO: Final = ("python", "manage.py", "portal", "--demo")
STATES_OF_SLEEPERS: Final = """
from pathlib import Path
texts = [one.read_text() for one in Path("/proc").glob("[0-9]*/stat")]
print(*[text.split()[2] for text in texts if "(sleep)" in text])
"""


class Container:
    def __init__(self, engine: Engine, name: str) -> None:
        self.engine, self.name = engine, name

    def run(self, *command: str) -> str:
        return self.engine.said("exec", self.name, *command)

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            self.engine.said("inspect", "--format={{json .State}}", self.name)
        )
        return found

    def logs(self) -> str:
        return self.engine.said("logs", self.name)

    def is_healthy(self) -> bool:
        state = self.state()
        assert state["Running"], self.logs()
        return bool(state["Health"]["Status"] == "healthy")


@pytest.fixture(scope="module")
def demo(engine: Engine) -> Iterator[Container]:
    name = "demo"
    engine.docker("run", "--detach", f"--name={name}", "-p=8000:8000", *READ_ONLY, PORTAL, *DEMO)
    container = Container(engine, name)
    wait_until(container.is_healthy, at_most=400)
    yield container
    engine.docker("rm", "--force", "--volumes", name)


def test_probe_asks_whether_the_portal_is_ready(demo: Container) -> None:
    probe = ("python", "deploy/probe.py")
    assert demo.run(*probe) == ""
    answer = demo.run(
        "python",
        "-c",
        "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8000/readyz').status)",
    )
    assert answer == "200"
    ended = demo.engine.docker("exec", "--env=BIND=0.0.0.0:9", demo.name, *probe, check=False)
    assert (ended.returncode, "refused" in ended.stdout) == (1, True)


def test_image_runs_without_rights_and_writes_to_its_folders_only(demo: Container) -> None:
    status = demo.run("cat", "/proc/1/status")
    assert "Uid:\t10001\t10001\t10001\t10001" in status
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    touch = "import sys; open(sys.argv[1], 'w')"
    for folder in ("/data", "/state", "/tmp"):
        demo.run("python", "-c", touch, f"{folder}/x")
    for folder in ("/app", "/opt/portal", "/var/tmp", "/"):
        ended = demo.engine.docker(
            "exec", demo.name, "python", "-c", touch, f"{folder}/x", check=False
        )
        assert "Read-only file system" in ended.stdout


def test_image_has_its_tools_and_no_compiler(demo: Container) -> None:
    assert "pg_dump (PostgreSQL) 17." in demo.run("pg_dump", "--version")
    bill = json.loads(demo.run("cat", "/sbom.json"))
    kinds = {one["purl"].partition("/")[0] for one in bill["components"]}
    assert kinds == {"pkg:pypi", "pkg:deb"}
    for name in ("gcc", "cc", "pip"):
        assert demo.engine.docker("exec", demo.name, "which", name, check=False).returncode == 1


def test_process_1_collects_what_ended_programs_leave_behind(demo: Container) -> None:
    for _ in range(3):
        demo.run("sh", "-c", "sleep 1 & exit 0")
    # A zombie would stay for ever.
    wait_until(lambda: not demo.run("python", "-c", STATES_OF_SLEEPERS), at_most=30)


def test_message_is_delivered(demo: Container) -> None:
    words = dict(line.split() for line in demo.run("cat", "/data/demo-passwords.txt").splitlines())
    send_one(demo.engine.pid, "http://localhost:8000", "operator", words["operator"])


def test_container_stops_in_order(demo: Container) -> None:
    demo.engine.docker("stop", "--time=130", demo.name)
    state = demo.state()
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False)
    assert "Stopped." in demo.logs()
    # For the tests that come after this one.
    demo.engine.docker("start", demo.name)
    wait_until(demo.is_healthy, at_most=300)


def test_data_folder_that_may_not_be_written_is_named_in_one_sentence(engine: Engine) -> None:
    of_root = engine.work / "of-root"
    of_root.mkdir(mode=0o755)
    volume = f"--volume={INSIDE / of_root.name}:/data"
    ended = engine.docker("run", "--rm", *READ_ONLY, volume, PORTAL, check=False, timeout=120)
    assert ended.returncode == os.EX_CONFIG
    said = [json.loads(line)["message"] for line in ended.stdout.splitlines()]
    assert len(said) == 1
    assert "10001" in said[0]
    assert "/data" in said[0]
