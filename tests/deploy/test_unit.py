"""The unit under a real systemd, installed by the steps of the handbook."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Final

import pytest

from tests.support import debian, machines
from tests.support.machines import Machine
from tests.support.portal_images import send_one
from tests.support.wait_until import wait_until

pytestmark = [pytest.mark.long, pytest.mark.any_database]
UNIT: Final = "smsportal.service"
FOLDER: Final = "/opt/smsportal"
# A watchdog of two minutes would make the test long, and a demo needs no accounts.
DROP_IN: Final = f"""
[Service]
WatchdogSec=20
ExecStart=
ExecStart={FOLDER}/.venv/bin/python manage.py portal --demo
"""
INSTALL: Final = f"""
set -e
useradd --system --home-dir /var/lib/smsportal --shell /usr/sbin/nologin smsportal
cd {FOLDER}
PIP_NO_INDEX=1 PIP_FIND_LINKS=/opt/wheels make install
install -d -m 750 -g smsportal /etc/smsportal
install -m 640 -g smsportal .env.example /etc/smsportal/env
cp deploy/systemd/smsportal.service /etc/systemd/system/
systemctl daemon-reload
"""


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    if reason := debian.reason_against("nsenter", "systemd-nspawn"):
        pytest.skip(reason)
    try:
        with machines.booted(tmp_path_factory.mktemp("machine") / "booted") as machine:
            machine.run("sh", "-c", INSTALL)
            machine.write(f"/etc/systemd/system/{UNIT}.d/demo.conf", DROP_IN)
            machine.run("systemctl", "daemon-reload")
            yield machine
    except debian.CannotFetch as error:
        pytest.skip(str(error))


def state(machine: Machine) -> str:
    return machine.properties(UNIT, "ActiveState")["ActiveState"]


def answers(machine: Machine) -> bool:
    ask = "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/readyz')"
    return machine.run("python3", "-c", ask, check=False).returncode == 0


def main_pid(machine: Machine) -> str:
    return machine.properties(UNIT, "MainPID")["MainPID"]


@pytest.fixture(scope="module")
def started(machine: Machine) -> Machine:
    machine.run("systemctl", "start", "--no-block", UNIT)
    seen: list[tuple[str, bool]] = []

    def is_active() -> bool:
        seen.append((state(machine), answers(machine)))
        assert seen[-1][0] in ("activating", "active"), machine.run(
            "journalctl", "-u", UNIT, check=False
        ).stdout
        return seen[-1][0] == "active"

    wait_until(is_active, at_most=400)
    # Active means that it answers, and until then systemd says that it is starting.
    assert seen[0] == ("activating", False)
    assert answers(machine)
    return machine


def test_unit_is_active_once_the_portal_is_ready(started: Machine) -> None:
    found = started.properties(UNIT, "Type", "StatusText", "SubState")
    assert found == {"Type": "notify", "StatusText": "All programs run", "SubState": "running"}


def test_unit_is_hardened_where_it_runs(started: Machine) -> None:
    said = started.run("systemd-analyze", "security", UNIT, "--no-pager", check=False).stdout
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", said)
    assert found is not None, said
    assert float(found[1]) <= 1.5
    status = started.run("cat", f"/proc/{main_pid(started)}/status").stdout
    assert "CapEff:\t0000000000000000" in status
    assert "Seccomp:\t2" in status


def test_message_is_delivered(started: Machine) -> None:
    lines = started.run("cat", "/var/lib/smsportal/demo-passwords.txt").stdout.splitlines()
    words = dict(line.split() for line in lines)
    send_one(started.pid, "http://localhost:8000", "operator", words["operator"])


def test_watchdog_replaces_a_portal_that_stands_still(started: Machine) -> None:
    before = main_pid(started)
    started.run("systemctl", "kill", "--kill-who=main", "--signal=SIGSTOP", UNIT)
    began = time.monotonic()
    wait_until(lambda: main_pid(started) not in ("0", before), at_most=60)
    assert time.monotonic() - began > 10
    wait_until(lambda: state(started) == "active", at_most=200)
    assert answers(started)
    journal = started.run("journalctl", "--no-pager", "-u", UNIT).stdout
    assert "Watchdog timeout" in journal


def test_unit_restarts_stops_in_order_and_starts_again(started: Machine) -> None:
    before = main_pid(started)
    started.run("systemctl", "restart", UNIT)
    assert main_pid(started) != before
    assert answers(started)
    started.run("systemctl", "stop", UNIT)
    found = started.properties(UNIT, "ActiveState", "Result")
    assert found == {"ActiveState": "inactive", "Result": "success"}
    assert not answers(started)
    journal = started.run("journalctl", "--no-pager", "-n", "20", "-u", UNIT).stdout
    assert "Stopped." in journal
    # For the tests that come after this one.
    started.run("systemctl", "start", UNIT)
