"""Record what people do to the portal.

What is personal in an act, such as a typed reason, stands in a row of its own. The act holds only a
salted digest of it, so the personal row can be erased while the act stays as it was recorded.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from django.contrib.auth.models import User
from django.db import transaction

from . import request_reference
from .models import Act, ActPersonal

LONGEST_REASON: Final = 1_000
Save: TypeAlias = Callable[[], None]
Companion: TypeAlias = Callable[[Sequence[Act]], Save | None]
"""Completes acts before they are saved, and returns what to save after them."""
_companions: Final[list[Companion]] = []


def register_companion(companion: Companion) -> None:
    if companion not in _companions:
        _companions.append(companion)


def record_act(
    what: str,
    *,
    by: User | None,
    subject: str = "",
    reason: str = "",
    personal: Mapping[str, str] | None = None,
    **details: object,
) -> Act:
    """Record one act. Call it in the transaction of the act itself.

    `what`: the kind of act as `thing.verb`; an app declares its sentence (`core.act_sentences`).
    `by`: None for the administrator's command line. `subject`: `kind:id`, as in the journal.
    `reason` and `personal`: what may be erased: names and terms that people typed. The address of
    the client is recorded without being named here.
    `details`: values that JSON can hold and that stay for good; never a secret or personal data.
    """
    subjects = [subject]
    return record_acts(what, by=by, subjects=subjects, reason=reason, personal=personal, **details)[
        0
    ]


def record_acts(
    what: str,
    *,
    by: User | None,
    subjects: Iterable[str],
    reason: str = "",
    personal: Mapping[str, str] | None = None,
    **details: object,
) -> list[Act]:
    """Record the same act on each of `subjects`, with one statement for all of them."""
    words = dict(personal or {})
    if reason:
        words["reason"] = reason[:LONGEST_REASON]
    reference = request_reference.current() or None
    made = [
        (Act(what=what, by=by, subject=one, details=details, request_id=reference), words)
        for one in subjects
    ]
    rows = [personal_row(act, words) for act, words in made if words]
    acts = [act for act, _words in made]
    saves = [save for companion in _companions if (save := companion(acts)) is not None]
    if len(acts) == 1 and not rows and not saves:
        acts[0].save(force_insert=True)
        return acts
    with transaction.atomic():
        Act.objects.bulk_create(acts)
        for row in rows:
            row.act_id = row.act.pk
        ActPersonal.objects.bulk_create(rows)
        for save in saves:
            save()
    return acts


def personal_row(act: Act, words: Mapping[str, Any]) -> ActPersonal:
    """The unsaved row of what is personal, whose digest is set in the unsaved `act`."""
    text = json.dumps(words, ensure_ascii=False, sort_keys=True)
    salt = secrets.token_hex(32)
    act.personal_digest = digest_of(text, salt)
    return ActPersonal(act=act, text=text, salt=salt)


def digest_of(text: str, salt: str) -> str:
    """Says nothing about the text once the salt is erased. 64 hexadecimal digits."""
    return hmac.new(bytes.fromhex(salt), text.encode(), hashlib.sha256).hexdigest()
