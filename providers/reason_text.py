"""The shape of an explanation, before it is translated and filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ReasonText:
    """The English source of an explanation, marked for translation.

    A part with %(placeholders)s needs a version without them in `plain`, which is used if a value
    is missing. `wordless` replaces parts that point to the provider's words, if it gave none.
    """

    title: str
    text: str = ""
    next_step: str = ""
    money: str = ""
    plain: Mapping[str, str] = field(default_factory=dict)
    wordless: Mapping[str, str] = field(default_factory=dict)
