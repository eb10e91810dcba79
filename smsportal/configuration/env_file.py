"""Reads a file of settings: `NAME=value` lines, as in `.env` and `keys.env`.

Accepts what editors and people produce: a byte order mark, spaces around `=`, `export`, quotes, and
comments after a value. Everything else is reported with its line, never with its text, which may
be a secret. Independent of Django.
"""

from __future__ import annotations

import codecs
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LINE: Final = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
SINGLE_QUOTED: Final = re.compile(r"'([^']*)'\s*(?:#.*)?")
DOUBLE_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(?:#.*)?')
COMMENT: Final = re.compile(r"(?:^|\s+)#.*$")


MARKS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""Byte order marks. That of UTF-32 begins like that of UTF-16, so it comes first."""


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
    text = _decode(raw)
    if text is None:
        return EnvFile({}, [f"{file} is neither UTF-8 nor UTF-16. Save the file as UTF-8."])
    return _read_lines(str(file), text)


def _decode(raw: bytes) -> str | None:
    """The text of the file, by its byte order mark; None if it is damaged.

    Bytes that are not UTF-8 stay in the text as surrogates: in a comment they do no harm, and in a
    setting they are reported with their line.
    """
    encoding = next((name for mark, name in MARKS.items() if raw.startswith(mark)), "")
    try:
        if encoding:
            return raw.decode(encoding, "surrogateescape" if encoding == "utf-8-sig" else "strict")
        # A setting begins with an ASCII letter, so every second byte of UTF-16 is zero here.
        if b"\x00" in raw:
            return raw.decode("utf-16-be" if raw.startswith(b"\x00") else "utf-16-le")
    except UnicodeDecodeError:
        return None
    return raw.decode("utf-8", "surrogateescape")


def _is_foreign(text: str) -> bool:
    """Whether the text has bytes that are not UTF-8."""
    return any("\udc80" <= character <= "\udcff" for character in text)


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
        if value is not None and _is_foreign(value):
            found.problems.append(
                f"{file}, line {number}: the value of {name} is not UTF-8. Save the file as UTF-8."
            )
            continue
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
