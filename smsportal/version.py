"""The version of the portal. Independent of Django."""

from __future__ import annotations

import os
import tomllib
from functools import cache
from typing import Final

_PROJECT: Final = os.path.join(  # noqa: PTH118
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))),  # noqa: PTH100, PTH120
    "pyproject.toml",
)


@cache
def portal_version() -> str:
    """The version in pyproject.toml; the portal is not installed as a package. Empty if unknown."""
    try:
        with open(_PROJECT, "rb") as file:  # noqa: PTH123
            return str(tomllib.load(file)["project"]["version"])
    except (OSError, KeyError, tomllib.TOMLDecodeError):
        return ""
