"""Read the words of providers: by table, blind to case, width and surrounding blanks.

Every comparison of a provider's word with ours goes through this module. A word that is in no
table stays as the provider wrote it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, TypeVar

T = TypeVar("T")

_WHOLE: Final = re.compile(r"([0-9]+)\.0+")
_INVISIBLE: Final = frozenset({"Cf", "Cc", "Zs", "Zl", "Zp"})
"""Categories of characters that nobody sees."""
LONGEST: Final = 200
"""Characters. A longer text is no word."""


def plain(text: str) -> str:
    """A text in ordinary width, without surrounding blanks and invisible characters."""
    text = unicodedata.normalize("NFKC", text)
    begin, end = 0, len(text)
    while begin < end and unicodedata.category(text[begin]) in _INVISIBLE:
        begin += 1
    while end > begin and unicodedata.category(text[end - 1]) in _INVISIBLE:
        end -= 1
    return text[begin:end]


def word_of(value: object) -> str:
    """A word, number or boolean in the writing of our tables; empty for anything else.

    `" Ｓuccess "` is `success`, `true` is `true`, and `200`, `200.0` and `"200"` are `200`.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**30 else ""
    if isinstance(value, Decimal):
        return number_text(value)
    if not isinstance(value, str) or len(value) > LONGEST:
        return ""
    word = plain(value).casefold()
    whole = _WHOLE.fullmatch(word)
    return whole.group(1) if whole else word


def number_text(number: Decimal) -> str:
    """A number without exponent, and without fraction if that is zero."""
    if not number.is_finite() or abs(number.adjusted()) > 30:
        return ""
    if number == number.to_integral_value():
        return f"{number.to_integral_value():f}"
    return f"{number:f}"


def table(words: Mapping[T, str]) -> dict[str, T]:
    """A table for `look_up` from our term to the words for it, separated by `|`."""
    return {word_of(word): term for term, listed in words.items() for word in listed.split("|")}


def look_up(known: Mapping[str, T], value: object) -> T | None:
    """Our term for a provider's word; None for a word that is in no table."""
    word = word_of(value)
    return known.get(word) if word else None


VERDICTS: Final = table(
    {
        True: "S|SUCCESS|SUCCEEDED|SUCCESSFUL|TRUE|OK|成功",
        False: "F|FAIL|FAILED|FAILURE|ERROR|UNSUCCESSFUL|FALSE|失败|失敗",
    }
)
"""Words that answer whether something succeeded. Both words of each pair are listed.

1 and 0 are not: 0 means failure in some interfaces and "no error" in others. A message that was
sent and counts as refused would be sent and paid twice."""
FLAGS: Final = VERDICTS | table({True: "1", False: "0"})
"""Words that answer whether something is so."""

_NOTHING: Final = frozenset(
    table(
        {
            None: (
                "null|nil|none|nan|undefined|n/a|na|#n/a|(null)|<null>|false|{}|[]|无|空|暂无|没有"
            )
        }
    )
)
_PLACEHOLDERS: Final = _NOTHING | frozenset(
    table(
        {
            None: (
                "-|--|---|–|—|.|..|...|…|*|?|pending|wait|waiting|empty|unknown|true|not received"
                "|not yet|等待|等待中|等待接收|等待接收短信|未收到|未接收|待接收"
            )
        }
    )
)
_ZEROS: Final = re.compile(r"0+")
SHORTEST_CODE: Final = 4
"""Digits. Zeros alone are a code from this length on, and a placeholder below."""


def verdict_of(value: object) -> bool | None:
    """Whether a word says yes or no; None if it says neither."""
    return look_up(VERDICTS, value)


def flag_of(value: object) -> bool | None:
    """Whether a field such as `is_active` says yes or no; None if it says neither."""
    return look_up(FLAGS, value)


def is_nothing(value: object) -> bool:
    """Whether a value states nothing: null, zero, an empty one, or a word such as "none"."""
    if value is None or value is False or value == 0:
        return True
    if isinstance(value, list | dict | tuple):
        return not value
    return isinstance(value, str) and (not plain(value) or word_of(value) in _NOTHING)


def is_placeholder(value: object) -> bool:
    """Whether a value stands for "there is none yet", such as 0, "-" or "pending"."""
    if is_nothing(value) or value is True:
        return True
    word = word_of(value)
    return word in _PLACEHOLDERS or bool(_ZEROS.fullmatch(word) and len(word) < SHORTEST_CODE)


_ID: Final = re.compile(r"[!-~]+")
"""Visible ASCII without blanks. Anything else that stands in place of an id is a sentence."""


def is_id(text: str) -> bool:
    """Whether the answer to a send has an id here, and not its words, such as "ok" or 余额不足."""
    return bool(_ID.fullmatch(text)) and not is_no_id(text) and verdict_of(text) is None


def is_no_id(text: str) -> bool:
    """Whether an id is a placeholder that providers write if they have none."""
    return is_placeholder(text) or bool(_ZEROS.fullmatch(word_of(text)))
