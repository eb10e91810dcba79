"""One version everywhere: the project, the image, the unit, the notes and the changelog."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from smsportal.version import portal_version

ROOT: Final = Path(__file__).resolve().parent.parent.parent
VERSION: Final = portal_version()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("deploy/compose.yaml", f"image: smsportal:{VERSION}\n"),
        ("deploy/Dockerfile", f'ARG VERSION="{VERSION}"\n'),
        ("deploy/Dockerfile", f"-t smsportal:{VERSION} ."),
        ("deploy/systemd/smsportal.service", f"v{VERSION}"),
        ("docs/en/operators/install.md", f"--branch v{VERSION} "),
        ("docs/zh-hans/operators/install.md", f"--branch v{VERSION} "),
        (f"docs/releases/{VERSION}.md", f"    smsportal {VERSION}\n"),
    ],
)
def test_file_names_the_version(name: str, words: str) -> None:
    assert words in (ROOT / name).read_text(encoding="utf-8")


def test_changelog_dates_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(VERSION)} – \d{{4}}-\d\d-\d\d$", text, re.MULTILINE)
