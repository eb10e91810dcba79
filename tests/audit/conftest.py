from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, settings: Settings) -> None:
    """Folders in which no other test has left a seal."""
    settings.DATA_DIR = tmp_path / "data"
    settings.STATE_DIR = str(tmp_path / "state")
