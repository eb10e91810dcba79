"""The search over all pages, which the field in the frame opens.

What was typed is posted, since a number must not stand in an address.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from core.admin.number_sources import sources_for
from core.admin.pages import current_user, fragment
from core.admin.search import MOST_HITS, Hit, HitGroup, Term, find
from core.admin.too_long import length_problem
from core.countries import country_name
from core.masking import data, shown_number
from core.phones.parse import PhoneError, parse_number, search_key
from core.phones.searches import TOO_MANY, allow_search
from core.phones.tokens import token_of
from core.punctuation import separated
from core.visibility import may_reveal
from messaging.models import Message

from ..number_facts import name_of, tabs_of

LONGEST: Final = 200
_COMMAND: Final = re.compile(r"(?P<word>[^\W\d]{2,20})\s*(?P<number>[+(]?\d.*)", re.DOTALL)
"""A word, then what begins like a number: "send 139…"."""


def read_term(typed: str) -> Term:
    """What the typed text is: a number in any writing, after a word or alone, or something else."""
    text = " ".join(typed.split())
    number = search_key(text)
    if number:
        return Term(text, number)
    parts = _COMMAND.fullmatch(text)
    number = search_key(parts["number"]) if parts else None
    return Term(text, number, parts["word"]) if parts and number else Term(text)


@fragment()
def search(request: HttpRequest) -> HttpResponse:
    """The hits, grouped, as a part of the page. Nothing is found for a number by too many tries."""
    term = read_term(request.POST.get("s", "").replace("\x00", ""))
    groups: list[HitGroup] = []
    refused: str | Promise = ""
    if too_long := length_problem(term.text, LONGEST):
        refused = too_long
    elif term.number and not _may_ask_for(request, term.number):
        refused = TOO_MANY
    elif term.text:
        groups = [*(_number_groups(request, term) if term.number else ()), *find(request, term)]
    context = {
        "groups": numbered(groups),
        "term": term,
        "refused": refused,
        "read_as": _read_as(term),
    }
    return render(request, "unfold/helpers/command_results.html", context)


def numbered(groups: Sequence[HitGroup]) -> list[tuple[HitGroup, list[tuple[int, Hit]]]]:
    """The groups with their hits, which are numbered through from 1 for the arrow keys."""
    number = count(1)
    return [(group, [(next(number), hit) for hit in group.hits]) for group in groups]


def _may_ask_for(request: HttpRequest, number: str) -> bool:
    person = current_user(request)
    allowed = allow_search(number, person, where="search")
    return allowed or may_reveal(Message, person)


def _read_as(term: Term) -> str:
    if not term.number:
        return ""
    try:
        country = country_name(parse_number(term.number).country)
    except PhoneError:
        return ""
    return _("Read as a number in %(country)s.") % {"country": country}


def _number_groups(request: HttpRequest, term: Term) -> list[HitGroup]:
    """The number's own page, what can be done with it, and its newest rows."""
    sources = sources_for(request.user)
    if not sources:
        return []
    number, token = term.number, token_of(term.number)
    url = reverse("admin:number", args=[token])
    total = sum(tab.count for tab in tabs_of(number, request.user))
    entries = ngettext("%(count)s entry", "%(count)s entries", total) % {"count": f"{total:,}"}
    name = name_of(number)
    # Whoever typed the whole number may see it.
    page = Hit(
        shown_number(number, whole=True),
        url,
        "contact_phone",
        detail=separated([data(name), entries] if name else [entries]),
    )
    groups = [
        HitGroup(pgettext("search", "Number"), [page]),
        HitGroup(pgettext("search", "Actions"), _actions(request, token)),
    ]
    for source in sources:
        events = source.events(number, request.user, MOST_HITS + 1)
        hits = [
            Hit(event.text, event.url, event.icon, event.state, at=event.at)
            for event in events[:MOST_HITS]
        ]
        more = f"{url}?only={source.key}" if len(events) > MOST_HITS else ""
        groups.append(HitGroup(source.title, hits, more))
    return [group for group in groups if group.hits]


def _actions(request: HttpRequest, token: str) -> list[Hit]:
    may = request.user.has_perm
    found = []
    if may("messaging.send_message"):
        send_url = f"{reverse('admin:messaging_message_send')}?number={token}"
        found.append(Hit(_("Send SMS to this number"), send_url, "send"))
    if may("otp.send_code"):
        code_url = f"{reverse('admin:otp_session_send')}?number={token}"
        found.append(Hit(_("Send code to this number"), code_url, "password"))
    return found
