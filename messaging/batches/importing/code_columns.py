"""Read a column that has the country code of the numbers beside it.

A number without its country code belongs to the home country. If the code stands in a column of
its own, `49` beside `15123456789`, the message would go to a stranger in China.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import phonenumbers

from .names import fold

_NAMES: Final = frozenset(
    [
        "cc",
        "calling code",
        "code pays",
        "country",
        "country calling code",
        "country code",
        "countrycode",
        "country/region",
        "dial code",
        "dialing code",
        "dialling code",
        "idd",
        "indicatif",
        "international code",
        "land",
        "landesvorwahl",
        "ländervorwahl",
        "país",
        "pays",
        "phone code",
        "phone country code",
        "phone prefix",
        "prefijo",
        "код страны",
        "国家",
        "国家/地区",
        "国家代码",
        "国家区号",
        "国家码",
        "国番号",
        "国码",
        "国际区号",
        "國家",
        "國碼",
        "國際區碼",
        "국가 코드",
        "국가번호",
    ]
)
_CODE: Final = re.compile(r"(?:\+|00)?([1-9][0-9]{0,2})(?:\.0+)?")
_REGION: Final = re.compile(r"[A-Z]{2}")
_WITH_CODE: Final = re.compile(r"\W*(?:[+＋]|00)")
_JOINERS: Final = re.compile(r"[\s_-]+")


def code_column_of(names: Sequence[str], number_column: int) -> int | None:
    """Index of the column with country codes or countries; None without one."""
    for index, name in enumerate(names):
        if index != number_column and _JOINERS.sub(" ", fold(name)) in _NAMES:
            return index
    return None


def calling_code(cell: str) -> str:
    """The calling code that a cell states by its digits or by a country's two letters."""
    text = fold(cell).upper().strip("'\"=() ")
    if found := _CODE.fullmatch(text):
        code = int(found[1])
        return str(code) if code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE else ""
    if _REGION.fullmatch(text):
        return str(phonenumbers.country_code_for_region(text) or "")
    return ""


def is_of_other_country(cell: str, typed: str, recipient: str) -> bool:
    """Whether the cell beside a number names another country than that of the recipient.

    A number that was written with its country code needs no cell.
    """
    if _WITH_CODE.match(typed):
        return False
    code = calling_code(cell)
    return bool(code) and not recipient.startswith(f"+{code}")
