"""The tables of the handbook that are made from the code, by the names of their blocks.

Each is made in the active language; `Words` has what only the tables say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from django.apps import apps as installed
from django.utils.translation import get_language, gettext, pgettext

from core.admin.labels import states_of
from core.money_lines import MoneyLine
from messaging.batches.importing.file_errors import FileProblem
from messaging.presentation.row_texts import REASONS as ROW_REASONS
from providers import error_texts
from providers.connection_texts import CONNECTION_TEXTS
from providers.gateway.client import CredentialField, OptionField
from providers.gateway.registry import clients
from providers.reason_text import ReasonText
from providers.reason_texts import TEXTS
from rentals.presentation.reasons import REASONS as ORDER_REASONS
from smsportal.money_words import PARTS
from smsportal.people.role_cards import AREAS
from smsportal.rights.roles import ROLES, role_label

from . import alerts, rights, settings_table, shortcuts
from .cures import read_cures
from .sentences import find_sentences
from .words import say, table

Block = Callable[[], str]
CODE: Final = re.compile(r"%\(\w+\)[sd]")


def states(kind: str) -> Block:
    """What each state of a kind means."""

    def make() -> str:
        rows: dict[tuple[str, str], None] = {}
        for label in states_of(kind).values():
            rows[str(label.word), str(label.help)] = None
        if not any(meaning for _word, meaning in rows):
            return table([say("state")], ([word] for word, _meaning in rows))
        return table([say("state"), say("meaning")], rows)

    return make


def reasons(texts: Callable[[], Mapping[str, ReasonText]]) -> Block:
    """What staff read about each reason, what to do, and what it says about money."""

    def make() -> str:
        rows: dict[tuple[str, str, str], None] = {}
        for text in texts().values():
            title, more, step = (_part(text, part) for part in ("title", "text", "next_step"))
            money = str(MoneyLine(text.money).text) if text.money else ""
            rows[f"**{title}** {more}".strip(), step, money] = None
        return table([say("reason"), say("step"), say("money")], rows)

    return make


def _part(text: ReasonText, part: str) -> str:
    source: str = getattr(text, part)
    if CODE.search(source) and part in text.plain:
        source = text.plain[part]
    return CODE.sub("…", gettext(source)).replace("%%", "%") if source else ""


def _of_messages() -> dict[str, ReasonText]:
    """What is registered and stands in none of the other tables."""
    others: set[str] = {*TEXTS, *ORDER_REASONS, *ROW_REASONS, *FileProblem}
    known = error_texts._texts
    return {key: text for key, text in known.items() if key not in others}


def _chosen(keys: Iterable[str]) -> Callable[[], dict[str, ReasonText]]:
    wanted = list(keys)
    return lambda: {key: error_texts._texts[key] for key in wanted if key in error_texts._texts}


def money() -> str:
    parts = []
    for part in PARTS:
        rows = ((f"**{word.word}**", str(word.meaning)) for word in part.words)
        parts.append(f"## {part.title}\n\n" + table([say("word"), say("meaning")], rows))
    return "\n\n".join(parts)


def rights_table() -> str:
    """Which role has which permission, by area."""
    head = [say("right"), *(role_label(role) for role in ROLES)]
    labels = rights.labels()
    areas: list[tuple[object, tuple[str, ...]]] = [(title, apps) for apps, title in AREAS]
    named = {app for _title, apps in areas for app in apps}
    others = dict.fromkeys(name.split(".")[0] for name in labels)
    areas += [
        (installed.get_app_config(app).verbose_name, (app,)) for app in others if app not in named
    ]
    parts = []
    for title, apps in areas:
        rows = [
            (label, *("✓" if name in ROLES[role] else "" for role in ROLES))
            for name, label in labels.items()
            if name.split(".")[0] in apps
        ]
        if rows:
            parts.append(f"## {title}\n\n{table(head, rows)}")
    return "\n\n".join(parts)


def account_fields(key: str) -> Block:
    """The fields of a provider's account, and what the form says about each."""

    def make() -> str:
        client = clients()[key]
        fields: tuple[CredentialField | OptionField, ...]
        fields = (*client.credential_fields, *client.option_fields)
        rows = [
            (pgettext("field", "Address"), _plain(client.base_url_help)),
            *((gettext(str(field.label)), _plain(field.help)) for field in fields),
        ]
        return table([say("field"), say("meaning")], rows)

    return make


def _plain(text: Any) -> str:
    return gettext(str(text)) if text else ""


def sentences(part: str) -> Block:
    """What the portal says, and what to do about it."""

    def make() -> str:
        cures = read_cures()
        rows = []
        for one in find_sentences():
            if one.part == part:
                code = f" ({one.code})" if one.code else ""
                cure = cures.get(one.text)
                rows.append(
                    (f"“{one.text}”{code}", cure.in_language(get_language()) if cure else "")
                )
        return table([say("sentence"), say("cure")], rows)

    return make


def blocks() -> Iterator[tuple[str, Block]]:
    """The name of each block, and what makes it."""
    for kind in (
        "message",
        "session",
        "batch",
        "order",
        "approval",
        "export",
        "callback",
        "account",
        "api_call",
        "finding",
        "host",
        "erasure",
    ):
        yield f"states {kind}", states(kind)
    calls = (key for key in TEXTS if key not in CONNECTION_TEXTS)
    yield "reasons calls", reasons(_chosen(calls))
    yield "reasons connection", reasons(_chosen(CONNECTION_TEXTS))
    yield "reasons messages", reasons(_of_messages)
    yield "reasons orders", reasons(_chosen(ORDER_REASONS))
    yield "reasons files", reasons(_chosen(FileProblem))
    yield "reasons rows", reasons(_chosen(ROW_REASONS))
    yield "money", money
    yield "shortcuts", shortcuts.make
    yield "alert kinds", alerts.kinds
    yield "alert services", alerts.services
    yield "rights", rights_table
    yield "settings", settings_table.make
    for key in sorted(clients()):
        yield f"account {key}", account_fields(key)
    for part in ("start", "setting", "log", "backup"):
        yield f"sentences {part}", sentences(part)
