"""The scheduled backup: when it is due, and that the queue cannot kill it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django import Settings

from providers.models import Heartbeat, heartbeat
from smsportal.backup import keys, manifest, tasks
from tests.smsportal.backup.conftest import Portal
from tests.smsportal.backup.test_store import publish
from tests.support.wait_until import wait_until

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=SHANGHAI)
TODAY = datetime(2026, 3, 2, 3, 10, tzinfo=SHANGHAI)


@pytest.fixture(autouse=True)
def at_ten_past_three(settings: Settings) -> None:
    settings.BACKUP_AT = "03:10"


@pytest.mark.parametrize(
    ("now", "expected"),
    [(NOON, TODAY), (TODAY, TODAY), (TODAY - timedelta(minutes=1), TODAY - timedelta(days=1))],
)
def test_latest_time_is_the_last_one_on_the_wall_clock(now: datetime, expected: datetime) -> None:
    assert tasks.latest_time(now) == expected


@pytest.mark.django_db
class TestDue:
    @pytest.fixture(autouse=True)
    def folder(self, settings: Settings, tmp_path: Path) -> None:
        settings.BACKUP_DIR = str(tmp_path / "backups")

    def made(self, settings: Settings, at: datetime, digests: keys.Digests | None = None) -> None:
        folder = Path(settings.BACKUP_DIR)
        name = publish(folder, 1, dict(digests or keys.digests(keys.current())))
        file = folder / name / manifest.FILE
        text = file.read_text().replace("2026-01-01T00:00:00+00:00", at.isoformat(), 1)
        file.write_text(text)

    def test_first_backup_is_due_at_once(self) -> None:
        assert tasks.is_due(NOON)

    def test_backup_of_yesterday_is_due(self, settings: Settings) -> None:
        self.made(settings, TODAY - timedelta(minutes=1))
        assert tasks.is_due(NOON)

    def test_backup_of_today_is_not_due(self, settings: Settings) -> None:
        self.made(settings, TODAY + timedelta(minutes=1))
        assert not tasks.is_due(NOON)

    def test_backup_elsewhere_or_of_another_portal_does_not_count(self, settings: Settings) -> None:
        heartbeat("backup", at=NOON)
        self.made(settings, NOON, {"SECRET_KEY": ["another"]})
        assert tasks.is_due(NOON)

    def test_backup_at_work_or_failed_is_tried_again_after_an_hour(self) -> None:
        heartbeat(tasks.STARTED, at=NOON - timedelta(minutes=59))
        assert not tasks.is_due(NOON)
        heartbeat(tasks.STARTED, at=NOON - timedelta(minutes=60))
        assert tasks.is_due(NOON)

    def test_without_a_folder_nothing_starts(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.BACKUP_DIR = ""
        monkeypatch.setattr(tasks, "start", lambda: pytest.fail("started"))
        assert tasks.start_when_due() is False
        assert not Heartbeat.objects.exists()


@pytest.fixture
def child_of_this_database(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in portal.environment().items():
        monkeypatch.setenv(name, value)


@pytest.mark.slow
@pytest.mark.usefixtures("child_of_this_database")
def test_due_backup_runs_in_a_session_of_its_own(
    portal: Portal, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.BACKUP_DIR = str(portal.backups)
    monkeypatch.setenv("BACKUP_DIR", str(portal.backups))
    started = []
    popen = subprocess.Popen

    def watch(*arguments: object, **options: object) -> object:
        process = popen(*arguments, **options)  # type: ignore[call-overload]
        started.append((process, os.getsid(process.pid)))
        return process

    monkeypatch.setattr(subprocess, "Popen", watch)
    assert tasks.start_when_due() is True
    assert tasks.start_when_due() is False
    ((process, session),) = started
    assert session == process.pid
    wait_until(lambda: process.poll() is not None)
    assert process.returncode == 0
    assert Heartbeat.objects.get(name="backup").detail == portal.newest.name
    assert not tasks.is_due(timezone.localtime())


TASK = "import django; django.setup(); from smsportal.backup import tasks; tasks.start()"


@pytest.mark.slow
@pytest.mark.usefixtures("child_of_this_database")
def test_backup_outlives_the_kill_of_its_worker(
    portal: Portal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the queue kills a task that takes too long, or the portal stops."""
    monkeypatch.setenv("BACKUP_DIR", str(portal.backups))
    worker = subprocess.Popen(
        [sys.executable, "-c", f"{TASK}; import time; print('on', flush=True); time.sleep(600)"],
        start_new_session=True,
        stdout=subprocess.PIPE,
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"on\n"
    os.killpg(worker.pid, signal.SIGKILL)
    worker.communicate()
    wait_until(lambda: Path(portal.backups).is_dir() and portal.names[-1:] > ["smsportal"])
    assert portal.manifest().verified_at


@pytest.mark.slow
@pytest.mark.usefixtures("child_of_this_database")
def test_failed_backup_is_logged_and_leaves_no_zombie(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("BACKUP_DIR", "/proc/backups")
    tasks.start()
    wait_until(lambda: "The backup failed with code 1" in caplog.text)
    wait_until(lambda: not _zombies())


def _zombies() -> list[str]:
    """The names of this process's children that have ended and were not waited for."""
    found = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = status.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue  # The process has ended meanwhile.
        state, parent = rest.split()[:2]
        if state == "Z" and int(parent) == os.getpid():
            found.append(name)
    return found
