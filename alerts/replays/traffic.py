"""What went out, by the pauses that are kept and by the figures.

The figures know what became of a message by now, which may have been open at that time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Final

from django.db.models import Q, Sum

from core.countries import country_name
from figures.cuts import By
from figures.models import Figure
from figures.slots import slot_of, start_of
from figures.standouts import RECENT, USUAL, stands_out
from figures.summaries import KINDS, Outcome, Subject, states_with
from otp.conversion import HOUR, percent
from providers.accounts import BY_HAND
from providers.models import AccountPause

from ..models import Rule
from .spells import MOST_ROWS, Past, Spell, of_account, spells_of

FAILED: Final = states_with(Subject.MESSAGES, Outcome.FAILED, Outcome.REFUSED)
KNOWN: Final = [*FAILED, *states_with(Subject.MESSAGES, Outcome.GOOD)]
OF_FAILED: Final = {"part": Sum("count", filter=Q(state__in=FAILED)), "whole": Sum("count")}
OF_VERIFIED: Final = {"part": Sum("succeeded"), "whole": Sum("accepted")}
SLOT: Final = timedelta(minutes=15)


class Series:
    """A part and its whole in each quarter of an hour, for quick sums over any of them."""

    def __init__(self, first: int, length: int) -> None:
        self.first = first
        self._slots = [[0] * length, [0] * length]
        self._sums: list[list[int]] = []

    def put(self, slot: int, part: int, whole: int) -> None:
        for values, value in zip(self._slots, (part, whole), strict=True):
            values[slot - self.first] = value

    def sums(self, begin: int, end: int) -> tuple[int, int]:
        """The part and the whole of the slots from `begin` up to, but without, `end`."""
        if not self._sums:
            self._sums = [[0, *accumulate(values)] for values in self._slots]
        low, high = max(begin - self.first, 0), max(end - self.first, 0)
        part, whole = (sums[high] - sums[low] for sums in self._sums)
        return part, whole


def accounts_paused(rule: Rule, past: Past) -> Iterator[Spell]:
    lasts = timedelta(minutes=rule.limit or 0)
    by_key = {account.pk: account for account in past.accounts}
    pauses = AccountPause.objects.filter(account__in=by_key, started_at__lte=past.now - lasts)
    ends = Q(ended_at=None) | Q(ended_at__gt=past.start)
    rows = pauses.exclude(reason=BY_HAND).filter(ends).order_by("-started_at")
    for key, started, ended in rows.values_list("account", "started_at", "ended_at")[:MOST_ROWS]:
        began = max(started + lasts, past.start)
        if ended is None or ended > began:
            yield of_account(by_key[key], began, ended)


def messages_failed(rule: Rule, past: Past) -> Iterator[Spell]:
    width = _slots_in(RECENT) + 1
    wanted = Q(kind__in=KINDS[Subject.MESSAGES], state__in=KNOWN)
    lines = _series(By.ACCOUNT, wanted, OF_FAILED, past.start - RECENT, past)

    def is_found(failed: int, known: int) -> bool:
        enough = known >= max(rule.least or 0, 1)
        return enough and 100 * failed // known >= (rule.limit or 0)

    yield from _spells_of_accounts(lines, width, is_found, past)


def more_fail_than_usual(rule: Rule, past: Past) -> Iterator[Spell]:
    """Of accounts and countries, as the figures look for it."""
    recent, usual = _slots_in(RECENT) + 1, _slots_in(USUAL) + 1
    wanted = Q(kind__in=KINDS[Subject.MESSAGES], state__in=KNOWN)

    def samples(line: Series) -> list[tuple[datetime, bool]]:
        found = []
        for slot, at in _moments(past):
            now = line.sums(slot + 1 - recent, slot + 1)
            before = line.sums(slot + 1 - usual, slot + 1 - recent)
            is_found = stands_out(*now, *before) and (
                100 * (now[0] / now[1] - before[0] / before[1]) >= (rule.limit or 0)
            )
            found.append((at, is_found))
        return found

    start = past.start - USUAL
    accounts = _series(By.ACCOUNT, wanted, OF_FAILED, start, past)
    for account in past.accounts:
        if account.pk in accounts:
            yield from spells_of(of_account(account, past.now), samples(accounts[account.pk]))
    if rule.account_id is None:
        for country, line in _series(By.COUNTRY, wanted, OF_FAILED, start, past).items():
            like = Spell(f"country:{country}", country_name(str(country)), past.now)
            yield from spells_of(like, samples(line))


def codes_not_verified(rule: Rule, past: Past) -> Iterator[Spell]:
    """Of accounts. The figures know no ranges of numbers."""
    width = _slots_in(HOUR)
    wanted = Q(kind__in=KINDS[Subject.CODES])
    lines = _series(By.ACCOUNT, wanted, OF_VERIFIED, past.start - HOUR, past)

    def is_found(verified: int, sent: int) -> bool:
        enough = sent >= max(rule.least or 0, 1)
        return enough and (percent(verified, sent) or 0) < (rule.limit or 0)

    yield from _spells_of_accounts(lines, width, is_found, past)


def _spells_of_accounts(
    lines: Mapping[object, Series], width: int, is_found: Callable[[int, int], bool], past: Past
) -> Iterator[Spell]:
    """`is_found` judges the part and the whole of the last `width` slots at each moment."""
    for account in past.accounts:
        if (line := lines.get(account.pk)) is not None:
            sums = ((at, line.sums(slot + 1 - width, slot + 1)) for slot, at in _moments(past))
            samples = [(at, is_found(part, whole)) for at, (part, whole) in sums]
            yield from spells_of(of_account(account, past.now), samples)


def _slots_in(span: timedelta) -> int:
    return span // SLOT


def _moments(past: Past) -> Iterator[tuple[int, datetime]]:
    """The slots since the start that are over, each with its end."""
    for slot in range(slot_of(past.since), slot_of(past.now)):
        yield slot, start_of(slot + 1)


def _series(
    by: By, wanted: Q, sums: Mapping[str, Sum], since: datetime, past: Past
) -> Mapping[object, Series]:
    """The figures of the accounts since then, for each value of a column."""
    first, end = slot_of(since), slot_of(past.now)
    rows = Figure.objects.filter(wanted, slot__gte=first, slot__lt=end)
    if by is By.ACCOUNT:
        rows = rows.filter(account__in=[account.pk for account in past.accounts])
    read = rows.order_by("-slot").values_list("slot", str(by)).annotate(**sums)[:MOST_ROWS]
    lines: dict[object, Series] = defaultdict(lambda: Series(first, end - first))
    slot, count = end, 0
    for slot, key, part, whole in read:
        lines[key].put(slot, part or 0, whole or 0)
        count += 1
    if count == MOST_ROWS:
        # What is before them would be compared with nothing.
        past.leave_out_before(start_of(slot + 1) + (past.start - since))
    return lines
