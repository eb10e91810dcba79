"""Acts as sentences in the reader's language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import User
from django.urls import reverse
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

UNKNOWN: Final = "–"
NUMBER: Final = "number:"


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
    known = sentence_of(act.what)
    values = _Values({name: str(value) for name, value in act.details.items()})
    if known is not None:
        for name, shown in known.shown.items():
            if name in act.details:
                values[name] = str(shown(act.details[name]))
        for name in known.people:
            pk = act.details.get(name)
            values[name] = readings.people.get(pk, UNKNOWN) if isinstance(pk, int) else UNKNOWN
    subject = _subject(act, readings, as_html=as_html)
    if not as_html:
        text = str(known.text) if known else "%(what)s: %(subject)s"
        return text % _Values({**values, "what": act.what, "subject": subject})
    shown_values = _Values({name: data(value) for name, value in values.items()})
    text = conditional_escape(str(known.text)) if known else "%(what)s: %(subject)s"
    return text % _Values({**shown_values, "what": data(act.what), "subject": subject})


class _Values(dict[str, Any]):
    """Another version may have kept other details."""

    def __missing__(self, name: str) -> str:
        return UNKNOWN


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
    name = str(act.personal.get("name", "")) or act.subject or UNKNOWN
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
