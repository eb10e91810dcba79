"""Show a number of a sheet by its number format, as the spreadsheet does.

The format codes are those of ECMA-376, part 1, 18.8.31: up to four sections for positive, negative
and zero numbers and for text, each with placeholders for digits and literal text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Final

from .date_formats import DATE_PARTS, DateFormat

LONGEST_CODE: Final = 255
MAX_DECIMALS: Final = 30
MAX_SCALING: Final = 4
PRECISE: Final = Context(prec=80)
"""Digits for 15 digits before the point, all decimals and all scaling."""
WHOLE_LIMIT: Final = 1e15
"""Spreadsheets keep 15 digits of a number; those after them are lost."""
_TOKEN: Final = re.compile(
    r'"(?P<quoted>[^"]*)"?|\\(?P<escaped>.)|_(?P<space>.)|\*(?P<fill>.)|\[(?P<bracket>[^\]]*)\]'
    rf"|(?P<general>General)|(?P<exponent>E[+-])|(?P<date>{DATE_PARTS})|(?P<digit>[0#?])"
    r"|(?P<sign>[.,%/@;])|(?P<literal>.)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION: Final = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?[0-9.]+)")
_CURRENCY: Final = re.compile(r"\$([^-]*)(?:-.*)?")
_ELAPSED: Final = re.compile(r"h+|m+|s+", re.IGNORECASE)
_COMPARE: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
    "=": lambda one, other: one == other,
    "<>": lambda one, other: one != other,
}

Token = tuple[str, str]
"""The kind and the text."""


def general(value: float) -> str:
    """The number without a format.

    15 digits, as many as spreadsheets keep: 0.1 + 0.2 is 0.3. A number of up to 15 digits is
    written out, though a sheet may show 1.39E+10: its digits are all there.
    """
    if value.is_integer() and abs(value) < WHOLE_LIMIT:
        return str(int(value))
    shown = f"{value:.15g}"
    if "e-" in shown:
        return f"{Decimal(shown):f}"
    return shown


@dataclass(frozen=True)
class NumberFormat:
    """A compiled format code."""

    sections: Sequence[_Section]

    def show(self, value: float, *, starts_1904: bool = False) -> str:
        if abs(value) >= WHOLE_LIMIT:
            # Whatever the format, digits are lost, and the scientific notation shows it.
            return general(value)
        for section in self.sections:
            if section.applies_to(value):
                return section.show(value, starts_1904=starts_1904)
        return general(value)


def compile_format(code: str) -> NumberFormat | None:
    """None for a format that shows numbers as they are."""
    parts = _split(code[:LONGEST_CODE])[:3]
    if not code or all(_is_plain(part) for part in parts):
        return None
    conditions = [_condition_of(part) for part in parts]
    sections = []
    for index, tokens in enumerate(parts):
        condition = conditions[index] or _usual_condition(index, len(parts), conditions)
        # A section of its own for negative numbers says how to show the sign.
        signed = not (index == 1 or (conditions[index] is not None and len(parts) > 1))
        sections.append(_Section(tokens, condition, signed))
    return NumberFormat(sections)


def _split(code: str) -> list[list[Token]]:
    parts: list[list[Token]] = [[]]
    for found in _TOKEN.finditer(code):
        kind = found.lastgroup or "literal"
        text = found[kind]
        if (kind, text) == ("sign", ";"):
            parts.append([])
        else:
            parts[-1].append((kind, text))
    return parts


def _is_plain(tokens: Sequence[Token]) -> bool:
    kinds = {kind for kind, _ in tokens} - {"bracket", "space", "fill"}
    shown = [text for _, text in tokens if text]
    return kinds == {"general"} or (bool(shown) and shown == ["@"])


def _condition_of(tokens: Sequence[Token]) -> Callable[[float], bool] | None:
    for kind, text in tokens:
        if kind == "bracket" and (found := _CONDITION.fullmatch(text)):
            compare, limit = _COMPARE[found[1]], float(found[2])
            return lambda value: compare(value, limit)
    return None


def _usual_condition(
    index: int, count: int, conditions: Sequence[object | None]
) -> Callable[[float], bool]:
    if count == 1 or index == count - 1:
        return lambda value: True
    if index == 0:
        return (lambda value: value >= 0) if count == 2 else (lambda value: value > 0)
    return lambda value: value < 0


class _Section:
    """One section of a format code."""

    def __init__(
        self, tokens: Sequence[Token], condition: Callable[[float], bool], signed: bool
    ) -> None:
        self.applies_to = condition
        self._signed = signed
        self._tokens = list(_literals(tokens))
        kinds = {kind for kind, _ in self._tokens}
        self._date = DateFormat(self._tokens) if kinds & {"date", "elapsed"} else None
        self._is_general = "general" in kinds or ("sign", "@") in self._tokens
        self._has_exponent = "exponent" in kinds
        self._layout = None if self._date or self._is_general else _Layout(self._tokens)

    def show(self, value: float, *, starts_1904: bool) -> str:
        if self._date is not None:
            return self._date.show(value, starts_1904=starts_1904) or general(value)
        if self._is_general:
            shown = general(value if self._signed else abs(value))
            return "".join(
                text if kind == "literal" else shown
                for kind, text in self._tokens
                if kind in ("literal", "general") or text == "@"
            ).strip()
        if self._has_exponent or self._layout is None:
            # Only the display is shortened; the digits are all there.
            return general(value)
        shown = self._layout.show(abs(value))
        shows_digits = any(sign in "123456789" for sign in shown)
        return ("-" if value < 0 and self._signed and shows_digits else "") + shown.strip()


def _literals(tokens: Sequence[Token]) -> list[Token]:
    """Tokens with everything that is shown as it stands as `literal`."""
    kept: list[Token] = []
    for kind, text in tokens:
        if kind in ("quoted", "escaped", "literal"):
            kept.append(("literal", text))
        elif kind == "space":
            kept.append(("literal", " "))
        elif kind == "bracket":
            if _ELAPSED.fullmatch(text):
                kept.append(("elapsed", text))
            elif currency := _CURRENCY.fullmatch(text):
                kept.append(("literal", currency[1]))
                kept.append(("locale", text))
        elif kind != "fill":
            kept.append((kind, text))
    return kept


class _Layout:
    """Where the digits of a number go between the literals."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        tokens = [token for token in tokens if token[0] != "locale"]
        percents = sum(token == ("sign", "%") for token in tokens)
        self._scale = 100 ** min(percents, MAX_SCALING)
        self._fraction = _fraction_digits(tokens)
        digits = [index for index, (kind, _) in enumerate(tokens) if kind == "digit"]
        point = next((i for i, token in enumerate(tokens) if token == ("sign", ".")), len(tokens))
        whole = [index for index in digits if index < point]
        last = whole[-1] if whole else point
        commas = [i for i, token in enumerate(tokens) if token == ("sign", ",")]
        self._groups = any(whole and whole[0] < i < last for i in commas)
        end = digits[-1] if digits else -1
        scaling = [i for i in commas if digits and i > last and (i < point or i > end)]
        self._thousands = min(len(scaling), MAX_SCALING)
        shown = [(i, token) for i, token in enumerate(tokens) if token != ("sign", ",")]
        self._whole = [token for i, token in shown if i < point]
        self._after = [token for i, token in shown if i > point]
        self._has_point = point < len(tokens)
        self._decimals = min(MAX_DECIMALS, sum(kind == "digit" for kind, _ in self._after))
        self._has_digits = bool(digits)

    def show(self, value: float) -> str:
        if not self._has_digits:
            return "".join(text for kind, text in (*self._whole, *self._after))
        number = Decimal(f"{value:.15g}") * self._scale / 1000**self._thousands
        if self._fraction:
            return _mixed_fraction(number, self._fraction)
        step = Decimal(1).scaleb(-self._decimals)
        rounded = number.quantize(step, ROUND_HALF_UP, context=PRECISE)
        whole, _, decimals = f"{rounded:f}".partition(".")
        shown = self._show_whole("" if whole == "0" else whole)
        if self._has_point:
            shown += "." + self._show_decimals(decimals)
        return shown

    def _show_whole(self, digits: str) -> str:
        places = sum(kind == "digit" for kind, _ in self._whole)
        least = len("".join(text for kind, text in self._whole if kind == "digit").lstrip("#"))
        digits = digits.rjust(least, "0") if least else digits
        shown: list[str] = []
        count = 0
        left = digits
        for kind, text in reversed(self._whole):
            if kind != "digit":
                shown.append(text)
                continue
            places -= 1
            # The first placeholder takes all digits that are left.
            taken = left[-1:] if places else left
            left = left[: len(left) - len(taken)]
            for sign in reversed(taken):
                if self._groups and count and count % 3 == 0:
                    shown.append(",")
                shown.append(sign)
                count += 1
        return "".join(reversed(shown))

    def _show_decimals(self, decimals: str) -> str:
        shown: list[str] = []
        optional = len(decimals.rstrip("0"))
        place = 0
        for kind, text in self._after:
            if kind != "digit":
                shown.append(text)
                continue
            if text == "0" or place < optional:
                shown.append(decimals[place] if place < len(decimals) else "0")
            place += 1
        return "".join(shown)


def _fraction_digits(tokens: Sequence[Token]) -> int:
    """The largest denominator of a format such as `# ?/?`; 0 if it is none."""
    slash = next((i for i, token in enumerate(tokens) if token == ("sign", "/")), None)
    if slash is None or not any(kind == "digit" for kind, _ in tokens[:slash]):
        return 0
    below = "".join(text for kind, text in tokens[slash + 1 :] if kind in ("digit", "literal"))
    if below.strip().isdigit() and int(below) > 0:
        return -int(below)
    places = sum(kind == "digit" for kind, _ in tokens[slash + 1 :])
    return int(10 ** min(places, 4)) - 1 if places else 0


def _mixed_fraction(number: Decimal, denominator: int) -> str:
    whole = int(number)
    rest = Fraction(number) - whole
    if denominator < 0:
        over = -denominator
        top = round(rest * over)
    else:
        nearest = rest.limit_denominator(denominator)
        top, over = nearest.numerator, nearest.denominator
    if top == over:
        whole, top = whole + 1, 0
    if not top:
        return str(whole)
    return f"{whole} {top}/{over}" if whole else f"{top}/{over}"
