"""Where the logs of Django and of the audit may hold a phone number, and which tables do not."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from auditlog.models import LogEntry as Change
from django.contrib.admin.models import LogEntry
from django.utils.translation import gettext_lazy as _

from audit.erasure import erase_parts
from audit.seal_acts import seal_all
from core.models import ActPersonal
from core.personal_data import Chunk, Erased, Place, excuse, register, text_of
from core.phones.tokens import BadToken, number_in, token_of
from core.phones.traces import Traces


class PersonalParts(Place):
    """What people typed, in acts. The chain over the acts does not need it."""

    def look(self, traces: Traces, after: Any, *, on_purpose: bool) -> Chunk:
        if after is None:
            # That moves what an earlier version wrote into acts to their personal parts.
            seal_all()
        return super().look(traces, after, on_purpose=on_purpose)

    def read_texts(self, after: Any) -> tuple[list[str], Any]:
        if after is None:
            seal_all()
        texts, last = super().read_texts(after)
        return [*texts, *filter(None, map(_number_of_token, texts))], last

    def erase(
        self, hits: Sequence[Any], traces: Traces, stand_in: str, *, on_purpose: bool
    ) -> Erased:
        return Erased(erase_parts(hits))

    def _has(self, traces: Traces, row: Mapping[str, Any], *, on_purpose: bool) -> bool:
        text = text_of(row["text"])
        return traces.is_in(text) or token_of(traces.number) in text


def _number_of_token(text: str) -> str:
    """The number that an act of an earlier version names by its token."""
    try:
        return number_in(str(json.loads(text).get("number", "")))
    except (BadToken, ValueError):
        return ""


def register_places() -> None:
    register(
        PersonalParts(
            ActPersonal,
            _("Personal parts of acts"),
            searched=("text",),
            excused={"salt": "random"},
        )
    )
    register(
        Place(
            LogEntry,
            _("Log of pages"),
            searched=("change_message", "object_repr"),
            excused={"object_id": "an id"},
        )
    )
    register(
        Place(
            Change,
            _("Audit log"),
            searched=(
                "object_repr",
                "changes_text",
                "changes",
                "serialized_data",
                "additional_data",
            ),
            excused={
                "object_pk": "an id",
                "cid": "an id",
                "remote_addr": "an address of staff",
                "actor_email": "an address of staff",
            },
        )
    )
    excuse("Staff and what they may do.", "auth.user", "auth.group", "auth.permission")
    excuse(
        "Addresses, factors and sessions of staff. Nobody signs in by a phone number.",
        "account.emailaddress",
        "account.emailconfirmation",
        "mfa.authenticator",
        "socialaccount.socialaccount",
        "socialaccount.socialapp",
        "socialaccount.socialtoken",
        "usersessions.usersession",
    )
    excuse("Hashes, counts and what a check found in them.", "audit.seal", "audit.chaincheck")
    excuse("Client addresses of staff.", "audit.actaddress")
    excuse("Preferences of staff.", "smsportal.preferences")
    excuse("Ids of roles.", "smsportal.factorrule")
    excuse("Names of tables.", "contenttypes.contenttype")
    excuse("A signed session: who is signed in.", "sessions.session")
    excuse(
        "Who signed in from where. Passwords are hidden, and names are those of staff.",
        "axes.accessattempt",
        "axes.accessfailurelog",
        "axes.accesslog",
    )
    excuse(
        "Names of tasks and ids of rows.",
        "django_q.task",
        "django_q.schedule",
        "django_q.ormq",
    )
    excuse(
        "Counts by words of the portal.",
        "figures.figure",
        "figures.mark",
        "figures.rollup",
    )
