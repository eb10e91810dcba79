"""Acts as sentences in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import User
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import pgettext

from core.act_sentences import sentence_of
from core.masking import data
from core.models import Act
from core.people import person_name
from core.phones.parse import mask
from core.phones.tokens import BadToken, number_in
from core.punctuation import label_text
from core.stored_texts import show
from providers.journal import subject_links

from ..subjects import WITHOUT_PAGE

NUMBER: Final = "number:"
OF_ANOTHER_VERSION: Final = ("%(what)s: %(subject)s", "%(what)s")
_PLACE: Final = re.compile(r"%\((\w+)\)s")


@dataclass(slots=True)
class Readings:
    """What a page of acts needs beside its rows, read in a few queries for all of them."""

    links: dict[str, tuple[str, str]]
    people: dict[int, str]

    @classmethod
    def of(cls, acts: Iterable[Act]) -> Readings:
        acts = list(acts)
        named = {
            value
            for act in acts
            for name in _people_in(act)
            if isinstance(value := act.details.get(name), int)
        }
        people = User.objects.filter(pk__in=named) if named else User.objects.none()
        return cls(
            subject_links({act.subject for act in acts if act.subject}),
            {person.pk: person_name(person) for person in people},
        )


def sentence(act: Act, readings: Readings) -> SafeString:
    """With a link to what was acted on."""
    found = _filled(act, readings, as_html=True)
    return SafeString(found)


def plain_sentence(act: Act, readings: Readings) -> str:
    return _filled(act, readings, as_html=False)


def reason_text(act: Act) -> str:
    """The reason, or the filters of an export; empty where it was erased or never given."""
    if act.why:
        return show(act.why)
    filters = str(act.personal.get("filters", ""))
    return label_text(pgettext("export", "Filters"), filters) if filters else ""


def _people_in(act: Act) -> Iterable[str]:
    known = sentence_of(act.what)
    return known.people if known else ()


def _filled(act: Act, readings: Readings, *, as_html: bool) -> str:
    values = _values(act, readings)
    if as_html:
        values = {name: data(value) for name, value in values.items()}
    if subject := _subject(act, readings, as_html=as_html):
        values["subject"] = subject
    text = _longest_text(act.what, values)
    return (conditional_escape(text) if as_html else text) % values


def _values(act: Act, readings: Readings) -> dict[str, str]:
    """What is known of an act, as it is shown."""
    known = sentence_of(act.what)
    values: dict[str, object] = {"what": act.what, **act.details}
    if known is not None:
        for name, meaning in known.of_none.items():
            if name in values and values[name] is None:
                values[name] = meaning
        for name, shown in known.shown.items():
            if not _is_missing(values.get(name)):
                values[name] = shown(values[name])
        for name in known.people:
            pk = values.get(name)
            values[name] = readings.people.get(pk, "") if isinstance(pk, int) else ""
    return {name: str(value) for name, value in values.items() if not _is_missing(value)}


def _is_missing(value: object) -> bool:
    return value is None or value in ("", [])


def _longest_text(what: str, values: Mapping[str, str]) -> str:
    """The longest sentence for which everything is known."""
    known = sentence_of(what)
    texts: list[Promise | str] = [known.text, *known.shorter] if known else []
    texts += OF_ANOTHER_VERSION
    return next(text for text in map(str, texts) if values.keys() >= set(_PLACE.findall(text)))


def _subject(act: Act, readings: Readings, *, as_html: bool) -> str:
    if found := readings.links.get(act.subject):
        label, url = found
        if not as_html or not url:
            return label
        return format_html('<a class="a" href="{}">{}</a>', url, label)
    token = str(act.personal.get("number", "")) or (
        act.subject.removeprefix(NUMBER) if act.subject.startswith(NUMBER) else ""
    )
    if token:
        return _number(token, as_html=as_html)
    kind = act.subject.partition(":")[0]
    if kind in WITHOUT_PAGE:
        return str(WITHOUT_PAGE[kind])
    name = str(act.personal.get("name", "")) or act.subject
    return data(name) if as_html else name


def _number(token: str, *, as_html: bool) -> str:
    try:
        shown = mask(number_in(token))
    except BadToken:
        return str(WITHOUT_PAGE["number"])
    if not as_html:
        return shown
    url = reverse("admin:number", args=[token])
    return format_html('<a class="a" href="{}">{}</a>', url, data(shown))
