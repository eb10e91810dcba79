"""The folder of backups: only what is whole has a name, and only ours is removed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from smsportal.backup import BackupError, store
from smsportal.backup.manifest import Manifest
from smsportal.configuration.environment import BASE_DIR

OURS, OTHERS = {"SECRET_KEY": ["ours"]}, {"SECRET_KEY": ["theirs"]}


def publish(parent: Path, day: int, digests: dict[str, list[str]] = OURS) -> str:
    name = f"smsportal-202601{day:02}T000000Z"
    with store.partial(parent, name) as folder:
        entry = store.write(folder / "database.dump", [b"data"])
        made = Manifest(
            name=name,
            version="1",
            made_at=f"2026-01-{day:02}T00:00:00+00:00",
            made_by="host",
            database={"kind": "sqlite", "server": "", "schema": ""},
            migrations=[],
            counts={},
            newest={},
            fence=None,
            keys=digests,
            files={"database.dump": entry},
            verified_at="2026-01-01T00:00:00+00:00",
        )
        store.publish(folder, made)
    return name


def names(parent: Path) -> list[str]:
    return sorted(os.listdir(parent))


def test_only_the_owner_can_read_anything(tmp_path: Path) -> None:
    folder = tmp_path / "new" / publish(tmp_path / "new", 1)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())}
    assert modes == {folder.name: 0o700, "database.dump": 0o600, "manifest.json": 0o600}
    assert folder.parent.stat().st_mode & 0o777 == 0o700


def test_backup_that_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), store.partial(tmp_path, "smsportal-20260101T000000Z"):
        _ = 1 / 0
    assert names(tmp_path) == []


def test_two_backups_of_one_second_do_not_mix(tmp_path: Path) -> None:
    publish(tmp_path, 1)
    with pytest.raises(BackupError, match="already"):
        publish(tmp_path, 1)


def test_oldest_are_removed(tmp_path: Path) -> None:
    made = [publish(tmp_path, day) for day in (3, 1, 2, 4)]
    assert store.remove_oldest(tmp_path, 2, OURS) == [made[1], made[2]]
    assert names(tmp_path) == [made[0], made[3]]


def test_what_is_no_backup_of_this_portal_is_never_removed(tmp_path: Path) -> None:
    theirs = publish(tmp_path, 1, OTHERS)
    renamed = (tmp_path / publish(tmp_path, 2)).rename(tmp_path / "smsportal-20250101T000000Z")
    moved = (tmp_path / publish(tmp_path, 3)).rename(tmp_path / "my favourite")
    (tmp_path / "smsportal-20260104T000000Z").mkdir()
    (tmp_path / "smsportal-20260105T000000Z").symlink_to(renamed)
    (tmp_path / "notes.txt").write_text("ours")
    ours = [publish(tmp_path, day) for day in (6, 7)]
    before = names(tmp_path)
    assert store.remove_oldest(tmp_path, 1, OURS) == [ours[0]]
    assert set(before) - set(names(tmp_path)) == {ours[0]}
    assert {theirs, moved.name} < set(before)


def test_leftovers_are_removed_and_nothing_else(tmp_path: Path) -> None:
    kept = publish(tmp_path, 1)
    for suffix in ("partial", "scratch", "removing"):
        (tmp_path / f".smsportal-20260102T000000Z.{suffix}" / "more").mkdir(parents=True)
    (tmp_path / ".other.partial").mkdir()
    store.remove_leftovers(tmp_path)
    assert names(tmp_path) == [".other.partial", kept]


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that is in the middle of a backup."""
    code = (
        "import sys, time; from pathlib import Path; from smsportal.backup import store\n"
        "with store.partial(Path(sys.argv[1]), 'smsportal-20260101T000000Z'):\n"
        "    print('at work', flush=True); time.sleep(600)"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    process = subprocess.Popen(
        [sys.executable, "-c", f"import django; django.setup()\n{code}", str(tmp_path)],
        cwd=BASE_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "at work\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_backup_at_work_is_no_leftover_until_its_process_is_killed(
    tmp_path: Path, at_work: subprocess.Popen[str]
) -> None:
    store.remove_leftovers(tmp_path)
    assert names(tmp_path) == [".smsportal-20260101T000000Z.partial"]
    at_work.kill()
    at_work.wait()
    store.remove_leftovers(tmp_path)
    assert names(tmp_path) == []


def test_backup_is_found_by_its_path_or_its_name(tmp_path: Path) -> None:
    name = publish(tmp_path, 1)
    assert store.locate(str(tmp_path / name), None) == tmp_path / name
    assert store.locate(name, tmp_path) == tmp_path / name
    with pytest.raises(BackupError, match="There is no backup nothing"):
        store.locate("nothing", tmp_path)
