"""Reads a file of settings: `NAME=value` lines, as in `.env` and `keys.env`.

Accepts what editors and people produce: a byte order mark, spaces around `=`, `export`, quotes, and
comments after a value. Everything else is reported with its line, never with its text, which may
be a secret. Independent of Django.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LINE: Final = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
SINGLE_QUOTED: Final = re.compile(r"'([^']*)'\s*(?:#.*)?")
DOUBLE_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?')
COMMENT: Final = re.compile(r"(?:^|\s+)#.*$")


@dataclass(frozen=True)
class Entry:
    value: str
    line: int


@dataclass(frozen=True)
class EnvFile:
    """The settings of a file by name, and a sentence for each thing that is wrong in it."""

    entries: dict[str, Entry]
    problems: list[str]


def read_env_file(file: Path) -> EnvFile:
    try:
        raw = file.read_bytes()
    except OSError as error:
        return EnvFile({}, [f"{file} cannot be read by user id {os.geteuid()}: {error.strerror}."])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        return EnvFile({}, [f"{file}, line {line}, is not UTF-8. Save the file as UTF-8."])
    return _read_lines(str(file), text)


def _read_lines(file: str, text: str) -> EnvFile:
    found = EnvFile({}, [])
    for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
        if not line or line.startswith("#"):
            continue
        matched = LINE.fullmatch(line)
        if matched is None:
            found.problems.append(f"{file}, line {number}, is not NAME=value.")
            continue
        name, value = matched[1], _value(matched[2])
        before = found.entries.get(name)
        if value is None:
            found.problems.append(f"{file}, line {number}: the quotes around {name} do not match.")
        elif before is None:
            found.entries[name] = Entry(value, number)
        elif before.value != value:
            found.problems.append(
                f"{file} has {name} twice, in lines {before.line} and {number}, with two values."
            )
    return found


def _value(written: str) -> str | None:
    """The value without quotes and comment; None if a quote is not closed or followed by more."""
    if written.startswith("'"):
        quoted = SINGLE_QUOTED.fullmatch(written)
        return quoted and quoted[1]
    if written.startswith('"'):
        quoted = DOUBLE_QUOTED.fullmatch(written)
        return quoted and re.sub(r"\\([^rnt])", r"\1", quoted[1])
    return COMMENT.sub("", written)
