"""From a clean clone to the first delivered message of the demo, each way.

`python -m benchmarks.first_message [clone image unit]`. Image and unit need what `make test-deploy`
needs. What Debian's packages, and the requirements as files, took to fetch is not counted; for the
clone it is.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from smsportal.configuration.environment import BASE_DIR
from tests.deploy.test_image import DEMO, Container
from tests.deploy.test_unit import DROP_IN, INSTALL, UNIT, answers
from tests.support import debian, docker_engine, machines, portal_images
from tests.support.portal_images import PORTAL, READ_ONLY, send_one
from tests.support.wait_until import wait_until

from .report import machine

WANTED: Final = 120.0
AT_MOST: Final = 600.0


class Steps:
    def __init__(self, way: str) -> None:
        self._began = self._last = time.monotonic()
        print(f"{way}:", flush=True)

    def done(self, name: str) -> None:
        now = time.monotonic()
        print(f"  {name} {now - self._last:.1f} s", flush=True)
        self._last = now

    def end(self) -> None:
        print(f"  in total {self._last - self._began:.1f} s (wanted: {WANTED:.0f} s)", flush=True)


def clone(folder: Path) -> None:
    """`make demo`, with nothing in pip's cache."""
    steps, port = Steps("clone"), _free_port()
    project = folder / "project"
    subprocess.run(["git", "clone", "--quiet", BASE_DIR, project], check=True)
    steps.done("clone")
    environment = {
        **os.environ,
        "BIND": f"127.0.0.1:{port}",
        "SANDBOX_BIND": f"127.0.0.1:{_free_port()}",
        "STATE_DIR": str(folder / "state"),
        "PIP_NO_CACHE_DIR": "1",
    }
    log = folder / "log"
    with log.open("w") as output:
        demo = subprocess.Popen(
            ["make", "demo"],
            cwd=project,
            env=environment,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        wait_until((project / ".venv/.installed").exists, at_most=AT_MOST)
        steps.done("install")
        wait_until(lambda: "Starting the portal" in log.read_text(), at_most=AT_MOST)
        steps.done("prepare")
        wait_until(lambda: "The portal is ready" in log.read_text(), at_most=AT_MOST)
        steps.done("start")
        words = (project / "data/demo/demo-passwords.txt").read_text()
        send_one(os.getpid(), f"http://localhost:{port}", "operator", _word(words))
        steps.done("sign in, send, deliver")
    finally:
        # As Ctrl-C does. make alone would not pass it on.
        os.killpg(demo.pid, signal.SIGINT)
        demo.wait(130)
    steps.end()


def image(folder: Path) -> None:
    with docker_engine.running(folder / "engine") as engine:
        portal_images.make_base(engine)
        steps = Steps("image")
        portal_images.build_portal(engine)
        steps.done("build")
        published = ("--detach", "--name=demo", "-p=8000:8000")
        engine.docker("run", *published, *READ_ONLY, PORTAL, *DEMO)
        demo = Container(engine, "demo")
        wait_until(lambda: "The portal is ready" in demo.logs(), at_most=AT_MOST)
        steps.done("prepare, start")
        words = demo.run("cat", "/data/demo-passwords.txt")
        send_one(engine.pid, "http://localhost:8000", "operator", _word(words))
        steps.done("sign in, send, deliver")
        steps.end()


def unit(folder: Path) -> None:
    with machines.booted(folder / "machine") as booted:
        steps = Steps("unit")
        booted.run("sh", "-c", INSTALL)
        steps.done("install")
        booted.write(f"/etc/systemd/system/{UNIT}.d/demo.conf", DROP_IN)
        booted.run("systemctl", "daemon-reload")
        booted.run("systemctl", "start", UNIT)
        assert answers(booted)
        steps.done("prepare, start")
        words = booted.run("cat", "/var/lib/smsportal/demo-passwords.txt").stdout
        send_one(booted.pid, "http://localhost:8000", "operator", _word(words))
        steps.done("sign in, send, deliver")
        steps.end()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _word(words: str) -> str:
    return dict(line.split() for line in words.splitlines())["operator"]


WAYS: Final[dict[str, Callable[[Path], None]]] = {"clone": clone, "image": image, "unit": unit}


def main() -> None:
    print(f"The first message. {machine()}", flush=True)
    for name in sys.argv[1:] or WAYS:
        if name != "clone" and (reason := debian.reason_against("nsenter", "systemd-nspawn")):
            print(f"{name}: {reason}", flush=True)
            continue
        folder = Path(tempfile.mkdtemp(prefix="smsportal-bench-"))
        try:
            WAYS[name](folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
