"""Find what looks like a place for a column's value but would be sent as it stands.

Other programs write {{Name}}, [Name] or %Name%, and Chinese keyboards write ｛Name｝. To send
such characters themselves, staff put a backslash before them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from core.text_cleaning import clean_value

ESCAPED: Final = {"\\{": "\x00", "\\}": "\x01", "\\｛": "\x02", "\\｝": "\x03"}
"""Stand-ins for escaped braces while a text is read. No text may contain control characters."""
_LITERALS: Final = str.maketrans({stand_in: sign[1] for sign, stand_in in ESCAPED.items()})

_NAME: Final = r"\s*([^{}｛｝\n\x00-\x03]{1,64}?)\s*"
BRACED: Final = re.compile(
    rf"(?P<escape>\\(?=[$＄%％]))?(?P<written>[{{｛]{{2,}}{_NAME}[}}｝]+|[{{｛]{_NAME}[}}｝]{{2,}}"
    rf"|[$＄%％][{{｛]{_NAME}[}}｝]|[{{｛]{_NAME}[}}｝])"
)
"""A name in braces of any kind and number. Only {Name} is a place."""
PLACE: Final = re.compile(r"\{([^{}｛｝\n\x00-\x03]{1,64})\}")

_LONE_BRACE: Final = re.compile(r"[{｛][^\n]{0,20}|[^\s{｛]{0,20}[}｝]")

_PAIRS: Final = (
    "[]", "【】", "〔〕", "()", "（）", "<>", "＜＞", "《》", "〈〉", "«»", "‹›", "「」", "『』",
    "%%", "％％", "##", "＃＃", "$$", "@@", "||", "**", "~~", "__", "^^", "&&",
)  # fmt: skip
_PATTERNS: Final = {
    pair[0]: re.compile(
        rf"(?P<escape>\\?)(?P<written>[{re.escape(pair[0])}]{{1,3}}\s*"
        rf"(?P<name>[^{re.escape(pair)}{{}}\n]{{1,64}}?)\s*[{re.escape(pair[1])}]{{1,3}})"
    )
    for pair in _PAIRS
} | {"*|": re.compile(r"(?P<escape>\\?)(?P<written>\*\|\s*(?P<name>[^*|{}\n]{1,64}?)\s*\|\*)")}
_WEAK: Final = frozenset("(（《〈「『【〔‹&*~|@")
"""Signs that texts use for their own sake. A name between them must be exactly a column's."""
_PREFIXES: Final = "$＄#＃%％@＠{｛"
SHORTEST_NEAR: Final = 4
"""Characters of a name that may be misspelt."""
NEAR: Final = 0.75


@dataclass(frozen=True, slots=True)
class Lookalike:
    """`start` and `end` are its place in the text, `column` what it seems to mean.

    `escaped` ones follow a backslash: they are meant as they stand.
    """

    written: str
    column: str
    start: int
    end: int
    escaped: bool


def fold_name(name: str) -> str:
    """A name without case, blanks, invisible characters and compatibility forms."""
    return "".join(unicodedata.normalize("NFKC", clean_value(name)).casefold().split())


def nearest(name: str, columns: Sequence[str]) -> str | None:
    """The column that `name` is a misspelling of, if there is one."""
    folds = {fold_name(column): column for column in columns}
    wanted = fold_name(name)
    if wanted in folds or len(wanted) < SHORTEST_NEAR:
        return folds.get(wanted)
    close = get_close_matches(wanted, folds, n=1, cutoff=NEAR)
    return folds[close[0]] if close else None


def protect(text: str) -> str:
    """The text with stand-ins for escaped braces."""
    for escape, stand_in in ESCAPED.items():
        text = text.replace(escape, stand_in)
    return text


def unprotect(text: str) -> str:
    """The text with the escapes that `protect` removed."""
    for escape, stand_in in ESCAPED.items():
        text = text.replace(stand_in, escape)
    return text


def literal(text: str) -> str:
    """A protected text with plain braces instead of the escaped ones."""
    return text.translate(_LITERALS)


def odd_braces(text: str) -> str:
    """The first name in braces that are not one pair of { }; empty if there is none.

    For a text whose columns are not known yet.
    """
    for found in BRACED.finditer(protect(text)):
        if not found["escape"] and not PLACE.fullmatch(found["written"]):
            return unprotect(found["written"])
    return ""


def lone_brace(text: str) -> str:
    """The first brace without its other half, with what follows on its line; empty if none."""
    rest = BRACED.sub(lambda found: " " * len(found[0]), protect(text))
    found = _LONE_BRACE.search(rest)
    return unprotect(protect(text)[found.start() : found.end()]).rstrip() if found else ""


def find_lookalikes(text: str, columns: Sequence[str]) -> list[Lookalike]:
    """What looks like a place of a column but is none. `text` is protected."""
    found = _outermost([*_in_braces(text, columns), *_between_signs(text, columns)])
    taken = [(one.start, one.end) for one in found]
    taken += [place.span() for place in PLACE.finditer(text)]
    found += [
        one
        for one in _after_sign(text, columns)
        if not any(start <= one.start < end for start, end in taken)
    ]
    return sorted(found, key=lambda one: one.start)


def without_escapes(text: str, found: Sequence[Lookalike]) -> str:
    """The text without the backslashes before escaped lookalikes."""
    for one in sorted(found, key=lambda one: -one.start):
        if one.escaped:
            text = text[: one.start - 1] + text[one.start :]
    return text


def _in_braces(text: str, columns: Sequence[str]) -> Iterator[Lookalike]:
    for braces in BRACED.finditer(text):
        name = next(group for group in braces.groups()[2:] if group is not None)
        column = nearest(name, columns)
        if column and not PLACE.fullmatch(braces["written"]):
            yield _lookalike(braces, "written", column)


def _between_signs(text: str, columns: Sequence[str]) -> Iterator[Lookalike]:
    for opening, pair in _PATTERNS.items():
        for match in pair.finditer(text):
            column = _column_between(match["written"], match["name"], opening, columns)
            if column:
                yield _lookalike(match, "written", column)


def _lookalike(match: re.Match[str], group: str, column: str) -> Lookalike:
    return Lookalike(match[group], column, *match.span(group), escaped=bool(match["escape"]))


def _column_between(written: str, name: str, opening: str, columns: Sequence[str]) -> str | None:
    column = nearest(name, columns)
    if column is None or len(fold_name(name)) < 2:
        return None
    exact = fold_name(column) == fold_name(name)
    doubled = written.startswith(opening * 2)
    return column if exact or doubled or opening not in _WEAK else None


def _outermost(found: list[Lookalike]) -> list[Lookalike]:
    """Without those inside others: *|Name|* is one."""
    return [
        one
        for one in found
        if not any(
            other is not one and other.start <= one.start and one.end <= other.end
            for other in found
        )
    ]


def _after_sign(text: str, columns: Sequence[str]) -> Iterator[Lookalike]:
    """$Name, and {Name without its end. Behind a letter only $Name: not the @Name of an address."""
    names = {column for column in columns if len(fold_name(column)) >= 2 and not column.isdigit()}
    if not names:
        return
    longest_first = sorted(map(re.escape, names), key=len, reverse=True)
    bare = re.compile(
        rf"(?:(?<![{_PREFIXES}0-9A-Za-z_])|(?<=[0-9A-Za-z_])(?=\\?[$＄]))(?P<escape>\\?)"
        rf"(?P<written>[{_PREFIXES}](?P<name>{'|'.join(longest_first)}))(?![0-9A-Za-z_])",
        re.IGNORECASE,
    )
    for match in bare.finditer(text):
        column = nearest(match["name"], columns)
        if column:
            yield _lookalike(match, "written", column)
