"""The state of the chain in words: on its page, and among what needs attention."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin.attention import AttentionItem
from core.admin.labels import Role, StateLabel, render_label
from core.models import Act
from core.people import person_name
from core.stored_texts import show
from core.times import full_time

from ..accepted import acceptances
from ..breaks import Break, Kind, breaks_of
from ..chain import open_breaks
from ..models import ACCEPT, VIEW_ALL, ChainCheck, Seal

BREAKS: Final[dict[Kind, Promise]] = {
    Kind.ACT_CHANGED: gettext_lazy("An entry was changed below seal %(seal)s."),
    Kind.ACT_REMOVED: gettext_lazy("An entry was removed below seal %(seal)s."),
    Kind.ACT_ADDED: gettext_lazy("An entry was added afterwards below a seal."),
    Kind.PERSONAL_CHANGED: gettext_lazy("The reason or address of entry %(act)s was changed."),
    Kind.PERSONAL_REMOVED: gettext_lazy(
        "The reason or address of entry %(act)s was removed, and not by an erasure."
    ),
    Kind.SEAL_CHANGED: gettext_lazy("Seal %(seal)s was changed."),
    Kind.SEAL_REMOVED: gettext_lazy("Seal %(seal)s was removed."),
    Kind.SIGNATURE: gettext_lazy("Seal %(seal)s was not made with a key of this portal."),
    Kind.CUT: gettext_lazy("The newest entries were removed: seal %(seal)s is known and missing."),
    Kind.UNGUARDED: gettext_lazy("The database no longer refuses changes of entries."),
}


@dataclass(frozen=True, slots=True)
class BreakLine:
    text: str
    key: str
    """Empty if the break is mended instead of accepted."""


@dataclass(frozen=True, slots=True)
class AcceptedLine:
    """A break, and who accepted it when and why."""

    text: str
    person: str
    at: datetime
    reason: str
    url: str


@dataclass(frozen=True, slots=True)
class ChainState:
    """What the page says about the chain."""

    label: SafeString
    detail: str
    lines: list[BreakLine] = field(default_factory=list)
    accepted: list[AcceptedLine] = field(default_factory=list)


def break_text(one: Break) -> str:
    return str(BREAKS[one.kind]) % {"seal": one.seal, "act": one.act}


def newest_checks() -> tuple[ChainCheck | None, ChainCheck | None]:
    """The check that has not ended, and the newest one that has."""
    checks = ChainCheck.objects.order_by("-begun_at", "-pk")
    newest = checks.first()
    running = newest if newest is not None and newest.ended_at is None else None
    return running, checks.exclude(ended_at=None).first()


def chain_state() -> ChainState:
    running, ended = newest_checks()
    detail = _("A check is under way.") if running else ""
    if ended is None or ended.ended_at is None:
        unchecked = _("The chain has not been checked yet.")
        return ChainState(_label(unchecked, Role.NEUTRAL, "schedule"), detail)
    checked = _("Checked at %(time)s.") % {"time": full_time(ended.ended_at)}
    detail = detail or checked
    acts = acceptances() if ended.breaks else {}
    found = list(breaks_of(ended))
    accepted = [_accepted_line(one, acts[one.key]) for one in found if one.key in acts]
    lines = [_line(one) for one in found if one.key not in acts]
    if lines:
        broken = _label(_("The chain is broken."), Role.DANGER, "error")
        return ChainState(broken, detail, lines, accepted)
    last = Seal.objects.filter(number__lte=ended.reached).order_by("-number").first()
    last_act = {"last": last.last if last else 0}
    if accepted:
        text = _("All breaks up to entry %(last)s were accepted.") % last_act
        return ChainState(_label(text, Role.WARNING, "policy"), detail, accepted=accepted)
    text = _("The chain is unbroken up to entry %(last)s.") % last_act
    return ChainState(_label(text, Role.SUCCESS, "check_circle"), detail)


def _line(one: Break) -> BreakLine:
    return BreakLine(break_text(one), one.key if one.may_be_accepted else "")


def _accepted_line(one: Break, act: Act) -> AcceptedLine:
    url = reverse("admin:audit_entry_change", args=[act.pk])
    return AcceptedLine(break_text(one), person_name(act.by), act.at, show(act.why), url)


def _label(text: str, role: Role, icon: str) -> SafeString:
    return render_label(StateLabel(text, role, icon))


def attention_items(request: HttpRequest) -> Iterator[AttentionItem]:
    if not request.user.has_perm(VIEW_ALL) and not request.user.has_perm(ACCEPT):
        return
    ended = newest_checks()[1]
    if ended is not None and open_breaks(ended):
        text = _("The chain of the audit log is broken: entries were changed or removed.")
        url = reverse("admin:audit_entry_changelist")
        yield AttentionItem(text, url, "error", Role.DANGER)
