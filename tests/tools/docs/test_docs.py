"""What the handbook has from the code, and what the check of the handbook finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.utils.translation import override

from smsportal.configuration.setting_rules import RULES
from tools.docs import check, cures, rights, settings_table, shortcuts, tables
from tools.docs.__main__ import fill
from tools.docs.sentences import Sentence, sentences_in

BLOCKS = dict(tables.blocks())


def test_block_is_filled_and_an_unknown_one_named() -> None:
    page = "# T\n<!-- made: money -->\nold\n<!-- end -->\n<!-- made: other -->\n<!-- end -->\n"
    filled, unknown = fill(page, {"money": "new"})
    assert "<!-- made: money -->\n\nnew\n\n<!-- end -->" in filled
    assert "old" not in filled
    assert unknown == ["other"]


def test_filling_twice_changes_nothing() -> None:
    once, _ = fill("<!-- made: a -->\n<!-- end -->\n", {"a": r"a \1 table"})
    assert fill(once, {"a": r"a \1 table"})[0] == once


@pytest.mark.parametrize("name", [name for name in BLOCKS if not name.startswith("sentences")])
def test_every_table_is_made_in_both_languages(name: str) -> None:
    made = {}
    for language in ("en", "zh-hans"):
        with override(language):
            made[language] = BLOCKS[name]()
    assert made["en"] != made["zh-hans"]
    lines = {language: text.count("\n") for language, text in made.items()}
    assert lines["en"] == lines["zh-hans"]
    assert "%(" not in made["en"] + made["zh-hans"]


def test_every_setting_is_explained_in_both_languages() -> None:
    listed = settings_table.make()
    missing = [name for name in RULES if f"`{name}`" not in listed and name != "ENV_FILE"]
    assert missing == []
    assert list(settings_table.find_problems()) == []


def test_changed_explanation_of_a_setting_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = settings_table.read_settings("# --- Data ---\n# New words.\n#DATA_DIR=data\n")
    assert one.defaults == {"DATA_DIR": "data"}
    monkeypatch.setattr(settings_table, "_all", lambda: [one])
    assert any(
        "DATA_DIR" in found and one.digest in found for found in settings_table.find_problems()
    )


def test_comment_explains_the_settings_below_it() -> None:
    source = "# --- Work ---\n# Both.\n#A_B=1\n#C_D=2\n\n# Another.\n#E_F=\n"
    found = settings_table.read_settings(source)
    assert [(one.text, one.defaults) for one in found] == [
        ("Both.", {"A_B": "1", "C_D": "2"}),
        ("Another.", {"E_F": ""}),
    ]


def test_example_is_not_called_a_default() -> None:
    with override("en"):
        assert "| `PUBLIC_ADDRESS` | for example `https://" in settings_table.make()


def test_every_right_has_words() -> None:
    with override("en"):
        labels = rights.labels()
    assert labels["messaging.view_donotsend"] == "View: Do-not-send list entries"
    assert not [label for name, label in labels.items() if label == name.split(".")[1]]


def test_shortcuts_are_those_of_the_dialog() -> None:
    with override("en"):
        made = shortcuts.make()
    assert "| Ctrl K (macOS: ⌘ K) | Search numbers, ids, names and pages |" in made


SPOKEN = """
LATE: Final = "Too late."
def say():
    logger.warning("%s cannot be read (%s).", path, error)
    logger.info("Nothing to do.")
    self.log.exception("Given up.")
    raise BackupError(LATE)
    raise ValueError("not for people")
    yield Error(f"Key {number} is malformed.", id="smsportal.E003")
"""


def test_sentences_are_found_in_the_code() -> None:
    assert set(sentences_in(SPOKEN, "core/x.py")) == {
        Sentence("log", "… cannot be read (…)."),
        Sentence("log", "Given up."),
        Sentence("backup", "Too late."),
        Sentence("start", "Key … is malformed.", "smsportal.E003"),
    }


def test_whole_sentences_of_speakers_count() -> None:
    source = 'def f():\n    yield f"{name} is no folder."\n'
    assert [one.text for one in sentences_in(source, "smsportal/startup/preflight.py")] == [
        "… is no folder."
    ]
    assert list(sentences_in(source, "core/x.py")) == []


def test_sentence_without_a_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cures, "find_sentences", lambda: [Sentence("log", "New words.")])
    found = list(cures.find_problems())
    assert "tools/docs/cures.toml: no cure for “New words.”" in found
    assert "tools/docs/cures.toml: the portal no longer says “There is no STATE_DIR.”" in found


def test_every_cure_is_in_both_languages() -> None:
    for cure in cures.read_cures().values():
        assert cure.en.isascii() or "“" in cure.en or "…" in cure.en
        assert any("\u4e00" <= letter <= "\u9fff" for letter in cure.zh)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    (tmp_path / "other.md").write_text("# Other\n\n## 回调地址\n", encoding="utf-8")
    (tmp_path / "there.png").write_bytes(b"")
    return tmp_path / "page.md"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("[a](other.md) ![b](there.png) [c](other.md#回调地址) [d](https://x.example)", 0),
        ("[a](gone.md)", 1),
        ("![a](gone.png)", 1),
        ("[a](other.md#nothing)", 1),
        ("# Here\n\n[a](#here) [b](#there)", 1),
    ],
)
def test_links_pictures_and_anchors_are_followed(page: Path, source: str, found: int) -> None:
    page.write_text(source, encoding="utf-8")
    assert len(list(check.broken_targets(page))) == found


@pytest.mark.parametrize(("source", "found"), [("**词**。词", 0), ("**词。**词", 1), ("`a**b`", 0)])
def test_stars_that_make_nothing_bold_are_found(page: Path, source: str, found: int) -> None:
    page.write_text(source, encoding="utf-8")
    assert len(list(check.marks_shown(page))) == found


def test_heading_in_one_language_only_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check, "DOCS", tmp_path)
    for language, source in (("en", "# A\n\n## B\n"), ("zh-hans", "# 甲\n")):
        (tmp_path / language / "staff").mkdir(parents=True)
        (tmp_path / language / "staff" / "send.md").write_text(source, encoding="utf-8")
    assert len(list(check.unlike_headings("staff/send"))) == 1
    assert any(one == "docs/en/staff/batches.md is missing" for one in check.missing_pages())
