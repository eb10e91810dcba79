"""Words that programs write where a value is missing.

The errors are those of Excel, LibreOffice and Google Sheets in their languages; the words are those
of databases, pandas, R and JavaScript.
"""

from __future__ import annotations

import re
from typing import Final

from .names import unwrapped, visible

NAMED_ERRORS: Final = frozenset(
    ["#n/a", "#n/d", "#nv", "#н/д", "#i/t", "#yok", "#na", "#getting_data", "#spill", "#calc"]
)
ANY_ERROR: Final = re.compile(r"#[¡¿]?[^\W\d_][\w/.]{0,24}[!?]|#div/0|#{3,}|err:\d{3}")
"""#REF!, #NOM?, #¡DIV/0!, Err:502, and ##### for a column that is too narrow."""
WORDS: Final = frozenset(
    [
        "null",
        "nil",
        "none",
        "undefined",
        "nat",
        "n/a",
        "n.a.",
        "(null)",
        "<null>",
        "[null]",
        "[object object]",
        "(none)",
        "<none>",
        "<na>",
        "<nan>",
        "(blank)",
        "<empty>",
        "(empty)",
        "\\n",
        "-nan",
        "#null",
        "-1.#ind",
        "1.#qnan",
    ]
)
CASED: Final = frozenset({"nan", "NaN", "NAN", "NA"})
"""Nan and Na are names of people."""
LONGEST: Final = 28
FIRST_LETTERS: Final = "nNuUeE1"
"""Letters and digits that begin one of these words."""


def is_empty_word(cell: str) -> bool:
    """Whether the cell is blank or holds a word for “no value”."""
    first = cell[:1]
    if first.isalnum() and first not in FIRST_LETTERS:
        # Files hold 100,000 cells, and hardly any is such a word.
        return False
    if len(cell) > LONGEST:
        return not cell.strip() or not visible(cell)
    word = visible(unwrapped(cell))
    if not word or word in CASED:
        return True
    folded = word.casefold()
    if folded in WORDS:
        return True
    if not folded.startswith(("#", "err:")):
        return False
    return folded in NAMED_ERRORS or ANY_ERROR.fullmatch(folded) is not None
