"""What acts are done to, in kinds, for a filter.

Most acts are named after what they are done to. A few, such as `reveal`, are done to anything, and
are told apart by their subject. So each condition is a part of an index.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

from core.act_sentences import described

OF_ANYTHING: Final = frozenset({"added", "approval", "changed", "deleted", "reveal"})
"""The first words of acts that are done to things of several kinds."""


@dataclass(frozen=True, slots=True)
class SubjectKind:
    key: str
    label: Promise
    acts: Sequence[str] = ()
    """The first words of the acts that are only done to such things."""
    subjects: Sequence[str] = ()
    """How such things are called in subjects: `kind:id`."""

    def conditions(self) -> Iterator[Q]:
        """Each is served by the index of acts by what was done. An act meets one at most."""
        for what in sorted(described()):
            thing = what.partition(".")[0]
            if thing in self.acts:
                yield Q(what=what)
            elif thing in OF_ANYTHING:
                for subject in self.subjects:
                    yield Q(what=what, subject__startswith=f"{subject}:")


def _kind(
    key: str, label: Promise, acts: Sequence[str] = (), subjects: Sequence[str] = ()
) -> SubjectKind:
    return SubjectKind(key, label, acts or (key,), subjects or (key,))


KINDS: Final = (
    _kind("message", pgettext_lazy("kind of subject", "Message")),
    _kind("batch", pgettext_lazy("kind of subject", "Batch")),
    _kind("code", pgettext_lazy("kind of subject", "Code"), ("code", "session"), ("session",)),
    _kind("order", pgettext_lazy("kind of subject", "Order")),
    _kind("account", pgettext_lazy("kind of subject", "Account")),
    _kind("callback", pgettext_lazy("kind of subject", "Callback")),
    _kind("template", pgettext_lazy("kind of subject", "Template")),
    _kind(
        "number",
        pgettext_lazy("kind of subject", "Phone number"),
        ("number", "number_search", "legal_hold"),
        ("number", "donotsend"),
    ),
    _kind(
        "person",
        pgettext_lazy("kind of subject", "Staff member"),
        ("staff", "factor", "sessions", "sign_in", "sign_out"),
        ("user",),
    ),
    _kind("role", pgettext_lazy("kind of subject", "Role"), ("role",), ("role", "group")),
    _kind(
        "limit",
        pgettext_lazy("kind of subject", "Limit or cap"),
        ("limit", "approval_limit", "cap"),
        ("dailylimit", "capexemption", "approvallimit"),
    ),
    _kind(
        "setting",
        pgettext_lazy("kind of subject", "Setting"),
        ("retention", "keys", "fence"),
        ("preferences",),
    ),
    _kind(
        "alert",
        pgettext_lazy("kind of subject", "Alert"),
        ("alert_rule", "alert_receiver", "alerts"),
        ("alert_rule", "alert_receiver"),
    ),
    _kind("hold", pgettext_lazy("kind of subject", "Hold")),
    _kind("finding", pgettext_lazy("kind of subject", "Finding")),
    _kind(
        "catalogue",
        pgettext_lazy("kind of subject", "App or country"),
        subjects=("project", "region"),
    ),
    _kind("note", pgettext_lazy("kind of subject", "Note")),
    _kind("list", pgettext_lazy("kind of subject", "List"), ("export",)),
    _kind(
        "audit",
        pgettext_lazy("kind of subject", "Audit log, backup or database"),
        ("audit", "backup", "database"),
    ),
)
BY_KEY: Final = {kind.key: kind for kind in KINDS}
