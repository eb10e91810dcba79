"""Translations are compiled without GNU gettext, and only after a change."""

from __future__ import annotations

import errno
import gettext
import os
from pathlib import Path

import pytest

from smsportal.startup.compile_translations import CannotCompile, compile_catalogues

SOURCE = """
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=1; plural=0;\\n"

msgid "Send"
msgstr "发送"

msgid "%(count)d message"
msgid_plural "%(count)d messages"
msgstr[0] "%(count)d 条短信"
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "zh_Hans" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    source = folder / "django.po"
    source.write_text(SOURCE, encoding="utf-8")
    return source


def test_compiled_catalogue_translates_words_and_plurals(source: Path, tmp_path: Path) -> None:
    assert compile_catalogues(tmp_path) == [source.with_suffix(".mo")]
    translations = gettext.translation("django", tmp_path, ["zh_Hans"])
    assert translations.gettext("Send") == "发送"
    assert translations.ngettext("%(count)d message", "%(count)d messages", 2) == "%(count)d 条短信"


def test_unchanged_catalogue_is_not_compiled_again(source: Path, tmp_path: Path) -> None:
    compile_catalogues(tmp_path)
    assert compile_catalogues(tmp_path) == []


def test_changed_catalogue_is_compiled_again(source: Path, tmp_path: Path) -> None:
    compile_catalogues(tmp_path)
    later = source.with_suffix(".mo").stat().st_mtime + 10
    os.utime(source, (later, later))
    assert compile_catalogues(tmp_path) == [source.with_suffix(".mo")]


def test_compiling_leaves_no_temporary_file(source: Path, tmp_path: Path) -> None:
    compile_catalogues(tmp_path)
    assert sorted(file.name for file in source.parent.iterdir()) == ["django.mo", "django.po"]


def test_code_that_cannot_be_written_is_named_with_the_way_out(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> Path:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(CannotCompile) as refused:
        compile_catalogues(tmp_path)
    assert str(refused.value) == (
        f"User id {os.geteuid()} cannot write {source.with_suffix('.mo')}: Read-only file system."
        " Run `make install` as the owner of the code, after each update."
    )
