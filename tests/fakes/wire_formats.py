"""How a fake provider writes words, numbers, times and bodies."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

Word = Callable[[str], object]
Number = Callable[[int], object]
Time = Callable[[datetime], object]


def wide(text: str) -> str:
    """In full-width characters, as a Chinese input method writes them."""
    return "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text)


def with_zone(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def in_china_without_zone(moment: datetime) -> str:
    return moment.astimezone(timezone(timedelta(hours=8))).strftime("%Y-%m-%d %H:%M:%S")


def with_short_offset(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S+0000")


def with_china_offset(moment: datetime) -> str:
    return moment.astimezone(timezone(timedelta(hours=8))).isoformat(timespec="milliseconds")


def unix(moment: datetime) -> int:
    return int(moment.timestamp())


def unix_text(moment: datetime) -> str:
    return str(unix(moment))


def unix_milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def mail_time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%d %b %Y %H:%M:%S +0000")


@dataclass(frozen=True)
class Writing:
    """One way to write the same answers. Each field has one oddity."""

    word: Word = str
    number: Number = int
    """Ids and counts."""
    amount: Word = float
    time: Time = with_zone
    leave_out: frozenset[str] = frozenset()
    """Fields that are not stated."""
    no_code: object = None
    charset: str = "utf-8"
    declares: bool = True
    """Whether the charset is in the Content-Type."""
    wrap: Callable[[str], str] = str
    """Changes the text of a body as a whole."""

    @property
    def content_type(self) -> str:
        return f"application/json; charset={self.charset}" if self.declares else "application/json"

    def body(self, values: dict[str, Any]) -> bytes:
        stated = {key: value for key, value in values.items() if key not in self.leave_out}
        text = self.wrap(json.dumps(stated, ensure_ascii=False))
        return text.encode(self.charset)


WRITINGS: dict[str, Writing] = {
    "as documented": Writing(),
    "words in lower case": Writing(word=str.lower),
    "words in upper case": Writing(word=str.upper),
    "words with a capital": Writing(word=str.capitalize),
    "words in full width": Writing(word=wide),
    "words between blanks": Writing(word=lambda word: f" \u3000{word}\r\n"),
    "ids and counts as text": Writing(number=str),
    "ids and counts as fractions": Writing(number=float),
    "ids and counts as text of fractions": Writing(number=lambda number: f"{number}.0"),
    "amounts as text": Writing(amount=lambda stated: f" {stated} "),
    "times with a short offset": Writing(time=with_short_offset),
    "times with an offset": Writing(time=with_china_offset),
    "times without a zone": Writing(time=in_china_without_zone),
    "times in Unix seconds": Writing(time=unix),
    "times in Unix seconds as text": Writing(time=unix_text),
    "times in Unix milliseconds": Writing(time=unix_milliseconds),
    "times as in mails": Writing(time=mail_time),
    "only the end": Writing(leave_out=frozenset({"created_at"})),
    "bodies in GBK": Writing(charset="gbk"),
    "bodies in GBK that do not say so": Writing(charset="gbk", declares=False),
    "bodies with a byte order mark": Writing(charset="utf-8-sig", declares=False),
    "bodies in UTF-16": Writing(charset="utf-16", declares=False),
    "0 for no code": Writing(no_code=0),
    '"0" for no code': Writing(no_code="0"),
    "an empty code": Writing(no_code=""),
    '"null" for no code': Writing(no_code="null"),
    '"-" for no code': Writing(no_code="-"),
    '"N/A" for no code': Writing(no_code="N/A"),
    '"Pending" for no code': Writing(no_code=" Pending "),
    '"等待接收短信" for no code': Writing(no_code="等待接收短信"),
    "false for no code": Writing(no_code=False),
}
