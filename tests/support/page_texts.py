"""The texts of a page, without data of people and providers."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Final

UNSEEN: Final = {"script", "style", "code", "pre", "template", "svg", "kbd", "time", "textarea"}
VOID: Final = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}
INLINE: Final = {"a", "b", "strong", "em", "span", "bdi", "time", "abbr", "label"}
READ: Final = (
    "title",
    "aria-label",
    "placeholder",
    "alt",
    "data-help",
    "data-label",
    "data-copied",
)
"""Attributes that a browser shows or reads out."""
MARK: Final = "\ufffc"
"""Takes the place of data, so that the punctuation around it can be judged."""


class _Texts(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._line = ""
        self._closing: list[tuple[str, bool]] = []

    @property
    def is_hidden(self) -> bool:
        return any(hides for _, hides in self._closing)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        is_icon = "material-symbols-outlined" in (values.get("class") or "")
        hides = tag in UNSEEN or values.get("translate") == "no" or is_icon
        if hides and not self.is_hidden:
            self._line += "" if is_icon else MARK
        if not (hides or self.is_hidden):
            self.found += [values[name] or "" for name in READ if name in values]
            if tag == "input" and values.get("type") in ("submit", "button"):
                self.found.append(values.get("value") or "")
        if (tag not in INLINE and not hides) or "button" in (values.get("class") or "").split():
            self._end_line()
        if tag not in VOID:
            self._closing.append((tag, hides))

    def handle_endtag(self, tag: str) -> None:
        if tag not in INLINE and not self.is_hidden:
            self._end_line()
        while tag in (name for name, _ in self._closing):
            if self._closing.pop()[0] == tag:
                break

    def handle_data(self, data: str) -> None:
        if not self.is_hidden:
            self._line += data

    def _end_line(self) -> None:
        self.found.append(self._line)
        self._line = ""

    def close(self) -> None:
        super().close()
        self._end_line()


def texts_of(html: str) -> Iterator[str]:
    """Each line of a page and each attribute that is read out. Data is one `MARK`."""
    parser = _Texts()
    parser.feed(html)
    parser.close()
    lines = (" ".join(line.split()) for line in parser.found)
    yield from (line for line in lines if line.strip(MARK + " "))
