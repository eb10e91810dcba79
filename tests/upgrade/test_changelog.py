"""The changelog has a part for each release, and says what an administrator has to do."""

from __future__ import annotations

import re

from smsportal.configuration.environment import BASE_DIR
from tests.upgrade.databases import DUMPS

FIRST = "0.1.0"


def parts() -> dict[str, str]:
    text = (BASE_DIR / "CHANGELOG.md").read_text()
    titles = re.findall(r"^## (\S+)", text, re.MULTILINE)
    return dict(zip(titles, re.split(r"^## .*$", text, flags=re.MULTILINE)[1:], strict=True))


def test_each_release_has_a_part() -> None:
    assert {folder.name for folder in DUMPS.iterdir()} <= set(parts())


def test_each_upgrade_says_what_to_do() -> None:
    lacking = [title for title, text in parts().items() if "### What to do" not in text]
    assert lacking == [FIRST]
