"""How plausible the letters of a text are in each of the older encodings.

Chinese, Japanese and Korean encodings put their common characters into blocks of their own, so a
text that was decoded as the wrong one falls into the blocks of rare characters. Single-byte
encodings are told apart by the letters that the languages of each of them use.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from .frequent_letters import FREQUENT, LANGUAGES, SIGNS

FREQUENT_WEIGHT: Final = 1.0
COMMON: Final = 0.85
SECOND: Final = 0.4
RARE: Final = 0.08
WRONG: Final = -1.0
ENOUGH_FOR_A_BLOCK: Final = 8
"""Different characters."""

PRIOR: Final = {
    "cp874": 0.95,
    "cp1254": 0.96,
    "cp1257": 0.94,
    "cp1258": 0.9,
    "koi8_r": 0.97,
    "mac_roman": 0.9,
}
"""Where two encodings explain the letters alike, the more widespread one is meant."""
EAST_ASIAN: Final = ("gb18030", "cp950", "cp932", "cp949", "euc_jp")
CANDIDATES: Final = (*EAST_ASIAN, *LANGUAGES)
LATIN: Final = frozenset({"cp1252", "cp1250", "cp1254", "cp1257", "cp1258", "mac_roman"})
CASED: Final = frozenset({"cp1251", "cp1253", "koi8_r"})

_LANGUAGES: Final = {
    name: [frozenset(letters) for letters in languages] for name, languages in LANGUAGES.items()
}
_HIGH_RUN: Final = re.compile(r"[^\x00-\x7f]+")
_CUT_WORD: Final = re.compile(r"[a-z][^\x00-\x7f]{1,2}(?=[a-z])")


def decoded(line: bytes, name: str) -> str:
    return line.decode(name, "replace")


def score(evidence: bytes, name: str) -> float | None:
    """How plausible the letters of the text are, at most 1; None if a byte does not fit."""
    try:
        text = evidence.decode(name)
    except UnicodeDecodeError:
        return None
    characters = Counter(sign for sign in text if sign > "\x7f")
    total = characters.total()
    if not total:
        return 0.0
    judge = _east_asian if name in EAST_ASIAN else _single_byte
    return judge(text, characters, name) * PRIOR.get(name, 1.0)


# --- Chinese, Japanese, Korean ----------------------------------------------------


def _east_asian(text: str, characters: Counter[str], name: str) -> float:
    weighed = sum(_weight(sign, name) * times for sign, times in characters.items())
    plausible = weighed / characters.total()
    # “M黮ler”: a word of Latin letters with one ideograph inside.
    inside = len(_CUT_WORD.findall(text))
    runs = sum(1 for _ in _HIGH_RUN.finditer(text))
    if name != "cp949" and _is_hangul_block(characters, name):
        plausible -= 0.25
    return plausible - inside / max(runs, 1)


def _is_hangul_block(characters: Counter[str], name: str) -> bool:
    """Whether all characters lie where EUC-KR has Hangul, which other texts do in part only."""
    codes = [sign.encode(name) for sign in characters if sign > "\u3040"]
    inside = sum(len(code) == 2 and 0xB0 <= code[0] <= 0xC8 and code[1] >= 0xA1 for code in codes)
    return inside >= ENOUGH_FOR_A_BLOCK and inside >= 0.95 * len(codes)


def _weight(sign: str, name: str) -> float:
    if "\ue000" <= sign <= "\uf8ff" or sign > "\U000fffff" or sign == "\ufffd":
        return WRONG
    if _is_punctuation(sign):
        return 0.7
    if "\uff61" <= sign <= "\uff9f":
        # Half-width katakana is what other encodings look like in Shift-JIS.
        return RARE
    if "\u3041" <= sign <= "\u30ff":
        # Kana stands in all of these encodings but is used in Japan.
        return FREQUENT_WEIGHT if name in ("cp932", "euc_jp") else 0.5
    if "\u4e00" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7a3":
        return _weight_by_block(sign, name)
    return 0.2 if sign.isalpha() else RARE


def _is_punctuation(sign: str) -> bool:
    return "\u3000" <= sign <= "\u301f" or "\uff01" <= sign <= "\uff5e" or sign in "“”‘’—…·￥"


def _weight_by_block(sign: str, name: str) -> float:
    if sign in FREQUENT[name]:
        return FREQUENT_WEIGHT
    code = sign.encode(name)
    if len(code) != 2:
        return RARE
    lead, trail = code
    if name == "gb18030":
        # GB 2312: level 1 by frequency, level 2 the rest; GBK added rare ones around them.
        if trail < 0xA1 or lead < 0xB0 or lead > 0xF7:
            return RARE
        return COMMON if lead <= 0xD7 else SECOND
    if name == "cp950":
        return COMMON if 0xA4 <= lead <= 0xC6 else SECOND if 0xC9 <= lead <= 0xF9 else RARE
    if name == "cp932":
        return COMMON if 0x88 <= lead <= 0x97 else SECOND
    if name == "euc_jp":
        return COMMON if 0xB0 <= lead <= 0xCF else SECOND
    # EUC-KR: Hangul; ideographs are rare in Korean texts, and cp949 added rare syllables.
    if trail < 0xA1:
        return RARE
    return 0.7 if 0xB0 <= lead <= 0xC8 else 0.15


# --- alphabets --------------------------------------------------------------------


def _single_byte(text: str, characters: Counter[str], name: str) -> float:
    plausible = _share_of_letters(characters, name)
    runs = _HIGH_RUN.findall(text)
    if name in LATIN:
        # Latin words are mostly ASCII, so long runs of other letters are no words.
        long = sum(len(run) for run in runs if len(run) > 2)
        plausible -= long / characters.total()
        return plausible - _odd_case(text) * 0.5
    # Words of other alphabets are runs of several letters.
    single = sum(1 for run in runs if len(run) == 1 and run.isalpha())
    plausible -= single / max(len(runs), 1) + _odd_case(text) * 0.8
    # Most cells are names and headings, which begin with a capital where there are capitals.
    if not any(sign > "\x7f" and sign.isupper() for sign in text) and name in CASED:
        plausible -= 0.1
    return 0.9 * plausible


def _share_of_letters(characters: Counter[str], name: str) -> float:
    """The share that its languages use; one language is more plausible than several."""
    folded: Counter[str] = Counter()
    for sign, times in characters.items():
        folded[sign.lower()[:1]] += times
    signs = sum(folded.pop(sign, 0) for sign in SIGNS)
    total = folded.total()
    if not total:
        return 0.9 * signs / (signs or 1)
    shares = [
        sum(folded[sign] for sign in letters if sign in folded) / total
        for letters in _LANGUAGES[name]
    ]
    known = set().union(*_LANGUAGES[name])
    every = sum(times for sign, times in folded.items() if sign in known) / total
    return (every + max(shares)) / 2


def _odd_case(text: str) -> float:
    """The share of letters beyond ASCII that are capital after a small letter, as in “MÜller”."""
    odd = total = 0
    for before, sign in zip(f" {text}", text, strict=False):
        if sign > "\x7f" and sign.isalpha():
            total += 1
            odd += sign.isupper() and before.islower()
    return odd / total if total else 0.0
