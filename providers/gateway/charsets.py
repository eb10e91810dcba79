"""Decode the bodies of providers by the charset that they declare, or by the one they are in."""

from __future__ import annotations

import codecs
import re
from typing import Final

_DECLARED: Final = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
_BOMS: Final = (
    # UTF-32's begins with UTF-16's.
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_SUPERSETS: Final = {"gb2312": "gb18030", "gbk": "gb18030", "cp949": "cp949", "euc_kr": "cp949"}
"""Declared names that are often written for the larger charset."""
_DECODES_ANYTHING: Final = re.compile(r"ascii|iso8859-\d+|cp125\d|latin")
_TEXT: Final = re.compile(
    r"ascii|utf-(8|16|32)(-[lb]e)?|utf-8-sig|gb18030|big5|big5hkscs|shift_jis|cp932|euc_jp|cp949"
    r"|iso8859-\d+|cp125\d|koi8-r"
)
"""Python's names of the charsets that are accepted. Some other codecs decode to other things than
text, or in more than one way."""
_LONG_SEQUENCE: Final = re.compile(rb"[\xe0-\xf4][\x80-\xbf]{2}")


def decode(body: bytes, content_type: str = "") -> str:
    """The body as text, without its byte order mark. Never raises.

    1. A byte order mark names the charset.
    2. Valid UTF-8 with a character of three bytes or more is UTF-8, whatever is declared.
    3. The declared charset, if the body is valid in it.
    4. UTF-8, UTF-16 and UTF-32 without a mark, then GB18030, the charset of older Chinese systems.

    Bytes that no charset fits become escapes such as `\\xff`.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body.decode(name, "backslashreplace")
    charset = declared_charset(content_type)
    for name in _candidates(body, charset):
        try:
            return body.decode(name)
        except ValueError:
            continue
    return body.decode("utf-8", "backslashreplace")


def declared_charset(content_type: str) -> str:
    """Python's name of the charset in a Content-Type; empty without a usable one."""
    found = _DECLARED.search(content_type)
    if not found:
        return ""
    try:
        name = codecs.lookup(found.group(1)).name
    except (LookupError, ValueError):
        return ""
    name = _SUPERSETS.get(name, name)
    return name if _TEXT.fullmatch(name) else ""


def _candidates(body: bytes, charset: str) -> list[str]:
    wide = _wide_charset(body)
    if wide and not charset.startswith(("utf-16", "utf-32")):
        return [wide]
    likely_utf8 = bool(_LONG_SEQUENCE.search(body)) or bool(_DECODES_ANYTHING.fullmatch(charset))
    if not charset or likely_utf8:
        return ["utf-8", *([charset] if charset else []), "gb18030"]
    return [charset, "utf-8", "gb18030"]


def _wide_charset(body: bytes) -> str:
    """The charset of a body whose first characters leave half or more of their bytes zero."""
    head = body[:4]
    if len(head) < 4 or b"\0" not in head:
        return ""
    zeros = "".join("0" if byte == 0 else "x" for byte in head)
    return {
        "x0x0": "utf-16-le",
        "0x0x": "utf-16-be",
        "x000": "utf-32-le",
        "000x": "utf-32-be",
    }.get(zeros, "")
