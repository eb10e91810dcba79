"""The sentence of each kind of act. Apps declare those of their acts when the portal starts.

A sentence begins with a verb and has `%(subject)s` for what the act was done to, and the names of
details for their values. Reasons are not part of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from django.utils.functional import Promise


class Area(StrEnum):
    """What an act is about, for filters."""

    SIGN_IN = "sign_in"
    SEND = "send"
    OUTCOME = "outcome"
    REVEAL = "reveal"
    EXPORT = "export"
    ACCOUNT = "account"
    STAFF = "staff"
    HOLD = "hold"
    OTHER = "other"


Shown = Mapping[str, Callable[[object], object]]
NO_OTHERS: Final[Shown] = MappingProxyType({})
NO_MEANING: Final[Mapping[str, Promise]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Sentence:
    area: Area
    text: Promise
    shorter: Sequence[Promise] = ()
    """The sentence without what an act may lack, the longest first: a detail that another version
    did not keep, or a name that was erased."""
    people: Sequence[str] = ()
    """The details that hold the key of a person."""
    shown: Shown = field(default_factory=dict)
    """How a detail is shown, by its name. Others are shown as they are."""
    of_none: Mapping[str, Promise] = field(default_factory=dict)
    """What None means, by the name of the detail. In others, nothing is known."""


_sentences: dict[str, Sentence] = {}


def describe(
    what: str,
    area: Area,
    text: Promise,
    *shorter: Promise,
    people: Sequence[str] = (),
    shown: Shown = NO_OTHERS,
    of_none: Mapping[str, Promise] = NO_MEANING,
) -> None:
    """Declare the sentence of the acts `what`."""
    _sentences[what] = Sentence(area, text, shorter, people, shown, of_none)


def sentence_of(what: str) -> Sentence | None:
    """None for an act of another version of the portal."""
    return _sentences.get(what)


def kinds_of(area: str) -> list[str]:
    """The kinds of acts of an area."""
    return sorted(what for what, sentence in _sentences.items() if sentence.area == area)


def described() -> Mapping[str, Sentence]:
    return _sentences
