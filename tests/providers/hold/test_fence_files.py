"""The copies of the fence on disk: damaged, unreadable, missing, or of another data folder."""

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
from pathlib import Path

import pytest
from pytest_django import Settings

from providers.hold import fence_files
from providers.hold.fence_files import NAME, Copy


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "data"
    settings.STATE_DIR = str(tmp_path / "state")


def file_of(name: str) -> Path:
    return fence_files.folders()[name] / NAME


def counters() -> dict[str, int | None]:
    return {name: copy.counter if copy else None for name, copy in fence_files.read().items()}


def test_both_copies_agree() -> None:
    fence_files.write(7, "1/01/9")
    data, state = fence_files.read().values()
    assert data is not None
    assert data == state == Copy(7, "1/01/9", data.written_at)
    assert fence_files.highest() == 7


def test_copies_can_be_read_by_their_owner_only() -> None:
    fence_files.write(7, "")
    assert {file_of(name).stat().st_mode & 0o077 for name in ("data", "state")} == {0}


def test_lower_value_never_replaces_a_higher_one() -> None:
    fence_files.write(9, "")
    fence_files.write(8, "")
    assert counters() == {"data": 9, "state": 9}


def test_shorter_content_leaves_nothing_of_a_longer_one() -> None:
    fence_files.write(1, "x" * 300)
    fence_files.write(2, "")
    assert counters() == {"data": 2, "state": 2}


def _write_many(numbers: range) -> None:
    for number in numbers:
        fence_files.write(number, "")


def test_value_never_falls_while_several_processes_write() -> None:
    fork = multiprocessing.get_context("fork")
    writers = [
        fork.Process(target=_write_many, args=(range(start, 1600, 4),)) for start in range(4)
    ]
    for writer in writers:
        writer.start()
    seen = []
    while any(writer.is_alive() for writer in writers):
        seen.append(fence_files.highest())
    assert seen == sorted(seen)
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 4
    assert counters() == {"data": 1599, "state": 1599}


@pytest.mark.parametrize("left", [0, 1, 20, 100])
def test_torn_file_counts_as_missing_and_is_written_again(
    left: int, caplog: pytest.LogCaptureFixture
) -> None:
    fence_files.write(7, "")
    os.truncate(file_of("data"), left)
    assert counters() == {"data": None, "state": 7}
    assert "is damaged and counts as missing" in caplog.text
    fence_files.write(8, "")
    assert counters() == {"data": 8, "state": 8}


def test_file_with_a_changed_digit_counts_as_missing() -> None:
    fence_files.write(7, "")
    content = file_of("data").read_text()
    file_of("data").write_text(content.replace('"counter": 7', '"counter": 9'))
    assert counters() == {"data": None, "state": 7}


@pytest.mark.parametrize("content", ["[]", "7", "null", '{"fence": {}, "check": 0}', "\x00" * 400])
def test_file_with_other_content_counts_as_missing(content: str) -> None:
    fence_files.write(7, "")
    file_of("state").write_text(content)
    assert counters() == {"data": 7, "state": None}


def test_unreadable_file_counts_as_missing_and_is_named(caplog: pytest.LogCaptureFixture) -> None:
    fence_files.write(7, "")
    file_of("state").unlink()
    file_of("state").mkdir()
    assert counters() == {"data": 7, "state": None}
    assert f"{file_of('state')} cannot be read" in caplog.text


def test_folder_that_cannot_be_written_is_named_once(
    settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file in place of the folder, because root may write into any folder."""
    (tmp_path / "state").write_text("")
    for number in (1, 2, 3):
        fence_files.write(number, "")
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    written = [record for record in warnings if "cannot be written" in record.message]
    assert len(written) == 1
    assert str(file_of("state")) in written[0].message
    assert counters() == {"data": 3, "state": None}


def test_without_a_state_folder_there_is_one_copy(settings: Settings) -> None:
    settings.STATE_DIR = ""
    fence_files.write(7, "")
    assert counters() == {"data": 7}


def test_another_data_folder_has_its_own_state(settings: Settings, tmp_path: Path) -> None:
    fence_files.write(7, "")
    settings.DATA_DIR = tmp_path / "other" / "data"
    assert counters() == {"data": None, "state": None}
    fence_files.write(3, "")
    assert counters() == {"data": 3, "state": 3}


def test_data_folder_that_is_copied_back_keeps_its_newer_state(
    settings: Settings, tmp_path: Path
) -> None:
    fence_files.write(7, "")
    shutil.copytree(settings.DATA_DIR, tmp_path / "backup")
    fence_files.write(9, "")
    shutil.rmtree(settings.DATA_DIR)
    shutil.copytree(tmp_path / "backup", settings.DATA_DIR)
    assert counters() == {"data": 7, "state": 9}
    fence_files.write(10, "")
    assert counters() == {"data": 10, "state": 10}
