"""A running portal has a name and reports what it uses."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import DatabaseError

from providers.models import Host
from smsportal.configuration.environment import BASE_DIR
from smsportal.hosts import report as host_report
from smsportal.hosts.measures import Measures, memory_of
from smsportal.hosts.name import VARIABLE, claim_name
from smsportal.hosts.report import HostReport
from smsportal.version import portal_version
from tests.providers.engine.cluster import Cluster
from tests.support.wait_until import wait_until

on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@pytest.fixture(autouse=True)
def no_name(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(VARIABLE, "")
    yield
    os.environ.pop(VARIABLE, None)


# --- names ------------------------------------------------------------------------


@on_linux
def test_portals_on_one_machine_and_database_have_different_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = []
    held = []
    for _ in range(2):
        monkeypatch.setenv(VARIABLE, "")
        held.append(claim_name("a database"))
        names.append(os.environ[VARIABLE])
    machine = socket.gethostname()
    assert names == [machine, f"{machine}-2"]
    for one in held:
        assert one is not None
        one.close()


@on_linux
def test_name_is_free_again_when_its_portal_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    first = claim_name("a database")
    assert first is not None
    first.close()
    monkeypatch.setenv(VARIABLE, "")
    second = claim_name("a database")
    assert os.environ[VARIABLE] == socket.gethostname()
    assert second is not None
    second.close()


def test_name_that_is_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "sms-1")
    assert claim_name("a database") is None
    assert os.environ[VARIABLE] == "sms-1"


# --- measures -----------------------------------------------------------------------


@on_linux
def test_measures_are_plausible(settings: LazySettings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    measures = Measures(os.getpid())
    sum(range(1_000_000))
    taken = measures.take()
    assert taken["cores"] == os.cpu_count()
    assert taken["load"] is None or 0 <= taken["load"] <= 1
    assert taken["memory"] > 10 * 1024**2
    assert taken["disk_free"] > 0


@on_linux
def test_memory_includes_the_processes_below() -> None:
    alone = memory_of(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        assert alone is not None
        wait_until(lambda: (memory_of(os.getpid()) or 0) > alone + 1024**2)
    finally:
        child.kill()
        child.wait()


def test_measures_are_unknown_without_proc(
    monkeypatch: pytest.MonkeyPatch, settings: LazySettings, tmp_path: Path
) -> None:
    monkeypatch.setattr("smsportal.hosts.measures.PROC", tmp_path)
    settings.DATA_DIR = tmp_path / "missing"
    taken = Measures(os.getpid()).take()
    assert [taken[name] for name in ("load", "memory", "disk_free")] == [None] * 3


# --- the command --------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("command", ["report_host", "vitals"])
def test_host_reports_itself_until_it_is_stopped(tmp_path: Path, command: str) -> None:
    environment = {**Cluster(tmp_path)._environment, VARIABLE: "sms-1"}
    process = subprocess.Popen(
        [sys.executable, str(BASE_DIR / "manage.py"), command, "--role", "work"],
        env=environment,
    )
    try:
        wait_until(Host.objects.filter(name="sms-1", stopped_at=None).exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.wait()
    host = Host.objects.get()
    assert (host.role, host.version) == ("work", portal_version())
    assert host.stopped_at is not None


def test_database_that_is_away_does_not_end_the_report() -> None:
    def fail() -> None:
        raise DatabaseError("away")

    logged: list[str] = []
    HostReport("work", 0.0, logged.append)._attempt(fail)
    assert logged == ["The host could not be reported: away"]


def test_vitals_are_told_whether_the_database_takes_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [None, DatabaseError("full"), None, None]
    told: list[bool] = []
    handlers: list[Callable[..., object]] = []

    def write(*_: object) -> None:
        if error := answers.pop(0):
            raise error

    def beside(takes_writes: bool) -> None:
        told.append(takes_writes)
        if len(told) == 4:
            handlers[0]()

    monkeypatch.setattr(signal, "signal", lambda _, one: handlers.append(one))
    monkeypatch.setattr(host_report, "REPORT_EVERY", 0)
    monkeypatch.setattr(host_report, "write_report", write)
    monkeypatch.setattr(host_report, "write_stop", lambda: None)
    monkeypatch.setattr(HostReport, "_report", lambda _: None)
    HostReport("work", 0.0, lambda _: None).run(beside)
    assert told == [True, True, False, True]
