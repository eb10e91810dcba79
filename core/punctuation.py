"""Joins translated texts with the punctuation of the reader's language.

Chinese has other marks than English and no blank after them, so no code or template writes them.
The result is HTML if a part is; the other parts are then escaped.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.utils.html import conditional_escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext


def label_text(label: object, text: object) -> str:
    """ "Number: Enter a number." """
    return _filled(gettext("%(label)s: %(text)s"), label=label, text=text)


def in_brackets(text: object, detail: object) -> str:
    """ "12 (80%)" """
    return _filled(gettext("%(text)s (%(detail)s)"), text=text, detail=detail)


def with_detail(text: object, detail: object) -> str:
    """ "By a person, 14:05:32" """
    return _filled(gettext("%(text)s, %(detail)s"), text=text, detail=detail)


def listed(parts: Iterable[object]) -> str:
    """An enumeration. Empty parts are left out."""
    # Translators: separates the parts of an enumeration.
    return pgettext("list", ", ").join(str(part) for part in parts if part)


def quoted(parts: Iterable[object]) -> str:
    """An enumeration of names, which may have commas themselves: “Last, first”, “Phone”."""
    return listed(f"“{part}”" for part in parts)


def separated(parts: Iterable[object]) -> str:
    """An enumeration whose parts are enumerations themselves."""
    # Translators: separates the parts of an enumeration that have commas themselves.
    return pgettext("list", "; ").join(str(part) for part in parts if part)


def join_sentences(*parts: object) -> str:
    """Whole sentences, one after the other. Empty ones are left out."""
    joined: str = ""
    for part in parts:
        if part and joined:
            # Translators: two sentences, one after the other.
            joined = _filled(gettext("%(first)s %(second)s"), first=joined, second=part)
        elif part:
            joined = part if isinstance(part, SafeString) else str(part)
    return joined


def _filled(text: str, /, **parts: object) -> str:
    if not any(isinstance(part, SafeString) for part in parts.values()):
        return text % parts
    escaped = {name: _escaped(part) for name, part in parts.items()}
    return SafeString(conditional_escape(text) % escaped)


def _escaped(part: object) -> SafeString:
    return conditional_escape(part if isinstance(part, SafeString) else str(part))
