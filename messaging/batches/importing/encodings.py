"""Tell the encoding of a text file, and say whether it is certain or a guess.

Valid UTF-8 and files with a byte order mark are certain. All other encodings accept each other's
bytes, so the file's own letters decide: an encoding that turns them into rare characters is wrong.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .encoding_scores import CANDIDATES, LATIN, decoded, score
from .file_errors import FileProblem, Unreadable

BLOCK: Final = 64 * 1024
EVIDENCE_SIZE: Final = 64 * 1024
"""Bytes of lines with letters beyond ASCII that are judged."""
PARITY_SIZE: Final = 4096
MIN_ZEROS: Final = 0.3
"""Smallest share of ASCII characters in a table in UTF-16."""
MIN_SCORE: Final = 0.05
"""An encoding that scores less turns the letters into rubbish."""
CLOSE: Final = 0.02
"""Below this difference of scores the detector's opinion decides."""
ENOUGH_LETTERS: Final = 100
"""Bytes beyond ASCII from which the detector, which counts letters of languages, has an opinion."""
OFFERED: Final = 4
SHOWN_LINES: Final = 3
MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
CERTAIN: Final = ("utf-8", "utf-16", "utf-16-le", "utf-16-be")
CHOICES: Final = (*CERTAIN, *CANDIDATES)
"""What staff may choose."""
LABELS: Final = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "utf-32": "UTF-32",
    "gb18030": "GB18030",
    "cp950": "Big5",
    "cp932": "Shift-JIS",
    "cp949": "EUC-KR",
    "euc_jp": "EUC-JP",
    "iso2022_jp": "ISO-2022-JP",
    "koi8_r": "KOI8-R",
    "mac_roman": "Mac Roman",
    "cp874": "Windows-874",
}


def label_of(encoding: str) -> str:
    """The name that spreadsheet programs show for an encoding."""
    return LABELS.get(encoding) or encoding.replace("cp", "Windows-")


@dataclass(frozen=True)
class Reading:
    """The first lines with letters beyond ASCII as one encoding reads them."""

    encoding: str
    lines: list[str]


@dataclass(frozen=True)
class Encoding:
    name: str
    is_guess: bool = False
    letters: int = 0
    """Bytes beyond ASCII that the guess rests on."""
    readings: Sequence[Reading] = ()
    """The guess and the other encodings that can decode the file."""


OpenFile = Callable[[], Any]


def encoding_of(open_file: OpenFile, chosen: str | None = None) -> Encoding:
    """The encoding of a file, or the one that staff chose. Raises `Unreadable`."""
    beginning = bytes(open_file().read(PARITY_SIZE) or b"")
    for mark, name in MARKS:
        if beginning.startswith(mark):
            return _certain(open_file, name)
    if 0 in beginning:
        return _certain(open_file, _utf_16_of(beginning))
    if chosen in CHOICES and chosen is not None:
        if not fits(open_file(), chosen):
            raise Unreadable(FileProblem.ENCODING, encoding=label_of(chosen))
        return Encoding(chosen, readings=_guess(open_file).readings)
    if b"\x1b$" in beginning or b"\x1b(" in beginning:
        return _certain(open_file, "iso2022_jp")
    if fits(open_file(), "utf-8"):
        return Encoding("utf-8")
    return _first_that_fits(open_file, _guess(open_file))


def _utf_16_of(beginning: bytes) -> str:
    """In UTF-16, digits, separators and line ends have a zero byte, all on the same side."""
    even, odd = beginning[::2].count(0), beginning[1::2].count(0)
    if min(even, odd) or max(even, odd) < MIN_ZEROS * len(beginning) / 2:
        raise Unreadable(FileProblem.UNREADABLE)
    return "utf-16-le" if odd else "utf-16-be"


def _certain(open_file: OpenFile, name: str) -> Encoding:
    if not fits(open_file(), name):
        raise Unreadable(FileProblem.UNREADABLE)
    return Encoding(name)


def fits(file: Any, encoding: str) -> bool:
    """Whether the encoding decodes every byte, and none to a null character."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(BLOCK):
            if "\0" in decoder.decode(chunk):
                return False
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


# --- guessing ----------------------------------------------------------------


def _guess(open_file: OpenFile) -> Encoding:
    lines = _evidence(open_file())
    evidence = b"\n".join(lines)
    scores = {name: score(evidence, name) for name in CANDIDATES}
    possible = [name for name in CANDIDATES if scores[name] is not None]
    ranked = sorted(possible, key=lambda name: -(scores[name] or 0.0))
    letters = sum(byte >= 0x80 for byte in evidence)
    if len(ranked) > 1 and letters >= ENOUGH_LETTERS:
        best = scores[ranked[0]] or 0.0
        close = [
            name
            for name in ranked
            # The detector cannot tell Western from Central European: their letters decide.
            if name == ranked[0] or (best - (scores[name] or 0.0) < CLOSE and name not in LATIN)
        ]
        if len(close) > 1:
            preferred = _opinion(evidence, close)
            ranked.sort(key=lambda name: name != preferred)
    plausible = [name for name in ranked[:1] if (scores[name] or 0.0) >= MIN_SCORE]
    name = plausible[0] if plausible else ""
    readings = _different([Reading(name, _shown(lines, name)) for name in ranked])
    offered = readings[:OFFERED]
    # Chinese spreadsheet programs save CSV files so; it is worth a look whatever its score.
    offered += [one for one in readings[OFFERED:] if one.encoding == "gb18030"]
    return Encoding(name, is_guess=True, letters=letters, readings=offered)


def _first_that_fits(open_file: OpenFile, guess: Encoding) -> Encoding:
    """The guess rests on the first lines; the rest of the file may rule it out."""
    if guess.name:
        names = [one.encoding for one in guess.readings]
        for name in sorted(names, key=lambda name: name != guess.name):
            if fits(open_file(), name):
                return Encoding(name, True, guess.letters, guess.readings)
    raise Unreadable(FileProblem.UNREADABLE)


def _evidence(file: Any) -> list[bytes]:
    """The first lines that have bytes beyond ASCII."""
    found: list[bytes] = []
    size, rest = 0, b""
    while size < EVIDENCE_SIZE and (chunk := file.read(BLOCK)):
        lines = (rest + chunk).replace(b"\r", b"\n").split(b"\n")
        rest = lines.pop()[-BLOCK:]
        for line in lines:
            if not line.isascii():
                found.append(line)
                size += len(line)
    if rest and not rest.isascii():
        found.append(rest)
    return found


def _opinion(evidence: bytes, names: Sequence[str]) -> str:
    """What charset-normalizer makes of the evidence; the first of `names` if it cannot tell."""
    # Imported here, since most files are UTF-8 and never need it.
    from charset_normalizer import from_bytes

    found = from_bytes(evidence, cp_isolation=list(names), preemptive_behaviour=False).best()
    return found.encoding if found is not None and found.encoding in names else names[0]


def _shown(lines: Sequence[bytes], name: str) -> list[str]:
    return [decoded(line, name) for line in lines[:SHOWN_LINES]]


def _different(readings: Sequence[Reading]) -> list[Reading]:
    """One of those that read the lines alike is enough: the first."""
    kept: dict[tuple[str, ...], Reading] = {}
    for reading in readings:
        kept.setdefault(tuple(reading.lines), reading)
    return list(kept.values())
