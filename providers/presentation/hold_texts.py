"""What the pages say about a hold. Each sentence holds for every hold that shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import User
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from core.admin.timeline import TimelineEntry, sort_entries
from core.models import Act
from core.people import person_name
from core.punctuation import join_sentences, listed
from core.stored_texts import show
from core.times import duration, short_time

from ..hold.decisions import DISCARDED, ENDED, EXTENDED, RELEASED
from ..models import Hold
from .hold_past import MIN_PACE, PACE_PERIOD, Past, calls_before

BANNERS: Final[Mapping[str, Promise]] = {
    Hold.Cause.RESTORED: gettext_lazy(
        "On hold since %(time)s: the database was restored from a backup."
    ),
    Hold.Cause.OLDER: gettext_lazy(
        "On hold since %(time)s: the database is older than what was done."
    ),
    Hold.Cause.NO_FENCE: gettext_lazy(
        "On hold since %(time)s: nothing shows how old the database is."
    ),
    Hold.Cause.GAP: gettext_lazy("On hold since %(time)s: the portal was stopped for a long time."),
    Hold.Cause.BY_HAND: gettext_lazy("On hold since %(time)s: put on hold by hand."),
}
CAUSES: Final[Mapping[str, Promise]] = {
    Hold.Cause.RESTORED: gettext_lazy(
        "The database was restored from a backup. The portal cannot tell which of these have been"
        " sent since the backup was made."
    ),
    Hold.Cause.OLDER: gettext_lazy(
        "The database is older than what was really sent. The portal cannot tell which of these"
        " were sent already."
    ),
    Hold.Cause.NO_FENCE: gettext_lazy(
        "Nothing shows how old the database is. If it is an older copy, some of these may have"
        " been sent already."
    ),
    Hold.Cause.GAP: gettext_lazy(
        "The portal was stopped for a long time, and nothing shows that this database"
        " is the latest. If it is an older copy, some of these may already have been"
        " sent."
    ),
    Hold.Cause.BY_HAND: gettext_lazy("The portal was put on hold by hand."),
}


def banner_text(hold: Hold) -> str:
    first = str(BANNERS.get(hold.cause, BANNERS[Hold.Cause.BY_HAND])) % {
        "time": short_time(hold.started_at)
    }
    second = _("What was waiting then is sent only after release; new work is sent normally.")
    return join_sentences(first, second)


def cause_text(hold: Hold) -> str:
    return str(CAUSES.get(hold.cause, CAUSES[Hold.Cause.BY_HAND]))


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of "What happened" with its evidence."""

    entry: TimelineEntry
    evidence: str = ""


def steps(hold: Hold, past: Past, acts: Iterable[Act]) -> list[Step]:
    """What led to the hold and what was decided, oldest first."""
    found = [*_before(past), _beginning(hold, past), *map(act_step, acts)]
    order = {entry: at for at, entry in enumerate(sort_entries([step.entry for step in found]))}
    return sorted(found, key=lambda step: order[step.entry])


def _before(past: Past) -> Iterator[Step]:
    if past.backup_at:
        yield Step(TimelineEntry(_("The backup was made"), past.backup_at), _contents(past))
    if past.newest_sign:
        yield Step(TimelineEntry(_("Last sign of the portal in this database"), past.newest_sign))
    if past.is_behind and past.in_use_at:
        entry = TimelineEntry(_("A newer database was in use"), past.in_use_at)
        yield Step(entry, _counters(past))
    if past.restored_at:
        entry = TimelineEntry(_("Restored from a backup"), past.restored_at)
        yield Step(entry, past.restored_from)


def _counters(past: Past) -> str:
    if past.counts is None:
        return ""
    newer, own = past.counts
    counters = {"newer": f"{newer:,}", "own": f"{own:,}"}
    return _("its counter is %(newer)s; that of this database was %(own)s") % counters


def _contents(past: Past) -> str:
    """What the backup holds: "version 1.0.0, 482,110 messages"."""
    parts = []
    if past.backup_version:
        parts.append(_("version %(version)s") % {"version": past.backup_version})
    if past.backup_messages is not None:
        count = past.backup_messages
        text = ngettext("%(count)s message", "%(count)s messages", count)
        parts.append(text % {"count": f"{count:,}"})
    return listed(parts)


def _beginning(hold: Hold, past: Past) -> Step:
    if hold.cause == Hold.Cause.BY_HAND:
        text = _("Put on hold – %(person)s") % {"person": decider(hold.started_by)}
        return Step(TimelineEntry(text, hold.started_at), hold.reason)
    text = _("Put on hold automatically")
    if past.host:
        text = _("Put on hold automatically, on host %(host)s") % {"host": past.host}
    evidence = _("pages, callbacks and balances continue")
    return Step(TimelineEntry(text, hold.started_at), evidence)


def act_step(act: Act) -> Step:
    return Step(TimelineEntry(act_text(act), act.at), act.why)


def act_text(act: Act) -> str:
    """What one act decided, such as "Released: Batch November, 5,605 – Manager A"."""
    if act.what == ENDED:
        return _("Ended: nothing was left to decide")
    if act.what == EXTENDED:
        return _extension_text(act)
    texts = {
        RELEASED: _("Released: %(title)s, %(count)s – %(person)s"),
        DISCARDED: _("Not to be sent: %(title)s, %(count)s – %(person)s"),
    }
    count = act.details.get("count", 0)
    return texts.get(act.what, "%(person)s") % {
        "title": act_title(act),
        "count": f"{count:,}" if isinstance(count, int) else count,
        "person": decider(act.by),
    }


def _extension_text(act: Act) -> str:
    """Why more rows joined the hold, and how many."""
    held = act.details.get("held")
    counts = held.values() if isinstance(held, dict) else []
    count = sum(count for count in counts if isinstance(count, int))
    causes: dict[str, Promise | str] = dict(Hold.Cause.choices)
    values = {"cause": causes.get(str(act.details.get("cause")), ""), "count": f"{count:,}"}
    return _("Put on hold again: %(cause)s; %(count)s more wait") % values


def act_title(act: Act) -> str:
    """The title of the group in the reader's language. An older version kept one per language."""
    titles = act.details.get("titles")
    known = titles if isinstance(titles, dict) else {}
    older = known.get(get_language()) or known.get("en")
    title = act.details.get("title") or older or act.details.get("group", "")
    return show(str(title))


def decider(user: User | None) -> str:
    return person_name(user) if user else _("the administrator's command")


def missing_texts(hold: Hold, past: Past) -> list[str]:
    """What is known to be missing from this database, in sentences."""
    if past.missing:
        begin, end = past.missing
        period = {"from": short_time(begin), "to": short_time(end), "span": duration(end - begin)}
        text = _(
            "What the portal did from %(from)s until at least %(to)s is missing here: %(span)s."
        )
        return [text % period, *_estimate(past), _ask_providers()]
    if past.is_behind:
        return [*_behind_texts(past), _ask_providers()]
    if hold.cause == Hold.Cause.BY_HAND:
        return [_("The portal has no sign that anything is missing.")]
    return [_("Whether anything is missing here cannot be known."), _ask_providers()]


def _estimate(past: Past) -> Iterator[str]:
    if past.missing is None:
        return
    begin, end = past.missing
    calls = calls_before(begin)
    about = round(calls * ((end - begin) / PACE_PERIOD))
    if calls < MIN_PACE or about < 1:
        return
    text = ngettext(
        "It made %(calls)s calls that may cost something in the 24 hours before; at that pace it"
        " is about %(about)s call.",
        "It made %(calls)s calls that may cost something in the 24 hours before; at that pace it"
        " is about %(about)s calls.",
        about,
    )
    yield text % {"calls": f"{calls:,}", "about": f"{about:,}"}


def _behind_texts(past: Past) -> Iterator[str]:
    if past.lacks_calls:
        yield _("Calls were started that are not on record here.")
    if past.in_use_at:
        text = _("A newer database was in use at %(time)s. How far back this one goes is unknown.")
        yield text % {"time": short_time(past.in_use_at)}


def _ask_providers() -> str:
    return _(
        "Ask the providers for their lists of this time, or wait: reports that still arrive are"
        " matched and counted above."
    )
