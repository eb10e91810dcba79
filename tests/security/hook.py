"""What a planted hook would call."""

from __future__ import annotations

import os
from pathlib import Path


def make_folder(_task: object) -> None:
    Path(os.environ["HOOK_FOLDER"]).mkdir()
