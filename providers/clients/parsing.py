"""Parse single values of answers and options. No parser here raises, whatever it is given.

`raise_contradiction` and `raise_undecided` end an answer that cannot be taken for a yes or a no.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NoReturn
from urllib.parse import urlsplit

from core.money import parse_amount
from providers.gateway.answers import raise_for_status
from providers.gateway.call import Answer
from providers.gateway.errors import GatewayError, OutcomeUnknown
from providers.gateway.vocabulary import Reason
from providers.gateway.words import is_id, is_nothing, is_placeholder, number_text, plain, word_of

LONGEST_WORDS: Final = 2000
LONGEST_ID: Final = 100
MOST_COUNTED: Final = 10**9

_WHOLE: Final = re.compile(r"([0-9]+)\.0+")
_COUNT: Final = re.compile(r"[0-9]{1,9}")
_NO_ERROR: Final = frozenset({"0", "no", "ok", "success", "成功"})


class NumberText(str):
    """A fractional JSON number, as the provider wrote it. `26471304.0` may be an id."""

    __slots__ = ()

    @property
    def number(self) -> Decimal:
        return Decimal(self)


def text_of(value: object, longest: int = LONGEST_WORDS) -> str:
    """Text and numbers as text that any database stores; empty for all else.

    NUL becomes its symbol and lone surrogates become escapes. Everything else stays unchanged.
    """
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, (str, int, Decimal)):
        text = str(value)
    else:
        return ""
    text = text.replace("\0", "␀").encode("utf-8", "backslashreplace").decode("utf-8")
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def id_of(value: object) -> str:
    """An id as text; empty if the value cannot be an id.

    A number is an id if it is whole, however it is written: `26471304.0` is `26471304`.
    """
    if isinstance(value, NumberText):
        value = value.number
    if isinstance(value, Decimal):
        text = number_text(value)
        return text if text.isdecimal() else ""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    text = str(value).strip()
    text = whole.group(1) if (whole := _WHOLE.fullmatch(text)) else text
    return text if text == text_of(text, LONGEST_ID) else ""


def required_amount(value: object) -> Decimal:
    """A number or text as an exact amount. Raises ValueError for anything else."""
    return parse_amount(plain(value) if isinstance(value, str) else value)


def amount_of(value: object) -> Decimal | None:
    try:
        return required_amount(value)
    except ValueError:
        return None


def count_of(value: object) -> int | None:
    """A number of rows or pages, as number or text; None if it is none."""
    word = word_of(value) if not isinstance(value, bool) else ""
    return int(word) if _COUNT.fullmatch(word) and int(word) < MOST_COUNTED else None


def stated_text(value: object, longest: int = LONGEST_WORDS) -> str:
    """A single word or number as text; empty for a placeholder that stands for none.

    Kept as the provider wrote it, without surrounding blanks.
    """
    if is_placeholder(value):
        return ""
    if isinstance(value, Decimal):
        return number_text(value)
    text = text_of(value, longest).strip()
    return whole.group(1) if (whole := _WHOLE.fullmatch(text)) else text


def states_error(body: Mapping[str, Any]) -> bool:
    """Whether a body names an error. Null, an empty value or a word such as "none" is no error."""
    stated = body.get("error")
    return not is_nothing(stated) and word_of(stated) not in _NO_ERROR


def text_field(body: Mapping[str, Any] | None, key: str, longest: int = LONGEST_WORDS) -> str:
    """One field of a body as text; empty if the body or the field is missing."""
    return text_of(body.get(key), longest) if body is not None else ""


def raise_contradiction(answer: Answer, words: str = "") -> NoReturn:
    """Raise the error for an answer whose parts disagree. The outcome is unknown."""
    raise OutcomeUnknown(Reason.CONTRADICTION, words=words, http_status=answer.status)


def raise_undecided(answer: Answer, words: str = "", provider_id: str = "") -> NoReturn:
    """Raise the error for a body that says neither yes nor no in known words.

    The HTTP status decides. If it claims success, the outcome is unknown, and so it is if the body
    names what it made (`provider_id`), whatever the status.
    """
    if is_id(provider_id) and not is_success(answer):
        raise_contradiction(answer, words)
    raise_for_status(answer, words)
    raise OutcomeUnknown(Reason.UNREADABLE, words=words, http_status=answer.status)


def raise_for_slash(answer: Answer, path: str) -> None:
    """Raise the error for a redirect to the requested path, with or without a trailing slash."""
    try:
        target = urlsplit(answer.headers.get("location", "").strip()).path
        raise_for_status(answer)
    except ValueError:
        return
    except GatewayError as error:
        is_slash = error.reason is Reason.REDIRECTED and target.endswith(
            path.removesuffix("/") if path.endswith("/") else f"{path}/"
        )
        if is_slash:
            reason = Reason.REDIRECTED_TO_SLASH
            raise type(error)(reason, words=error.words, http_status=answer.status) from None


def is_success(answer: Answer) -> bool:
    return 200 <= answer.status < 300


def option_lines(value: object) -> tuple[str, ...]:
    """The lines of a stored `LINES` option (JSON), unchanged and without blank ones."""
    if isinstance(value, str):
        value = value.splitlines()
    if not isinstance(value, (list, tuple)):
        return ()
    return tuple(line for line in value if isinstance(line, str) and line.strip())
