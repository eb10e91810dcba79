"""Which caps of accounts, countries and people are nearly used. Those of numbers are left out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Q

from ..models import Account, DailyLimit, DailyUse
from .cap import ALL, Cap
from .rules import RuleBook, current_exemptions
from .windows import Window, window_of

SCOPES: Final = ("account", "country", "user")
WINDOWS: Final = (Window.HOUR, Window.DAY)
"""A cap on a minute is free again before anybody could act."""
KINDS: Final = tuple(str(what) for what in DailyLimit.What)


def used_caps(percent: int) -> Iterator[tuple[str, str, int]]:
    """The scope, the key and the percentage of each that has used this much of one of its caps.

    Of several caps of one key, the one that is used most counts.
    """
    most: dict[tuple[str, str], int] = {}
    for cap, used in _caps_in_use():
        share = 100 * used // cap.most if cap.most else 100
        if share >= percent:
            name = cap.scope, cap.key
            most[name] = max(most.get(name, 0), min(share, 100))
    for (scope, key), share in sorted(most.items()):
        yield scope, key, share


def _caps_in_use() -> Iterator[tuple[Cap, int]]:
    stored = [window.stored(scope) for scope in SCOPES for window in WINDOWS]
    rows = DailyUse.objects.filter(scope__in=stored).order_by()
    used = {
        (row.what, row.scope, row.key): count
        for row in rows
        if (count := window_of(row.scope).used(row.spent))
    }
    if not used:
        return
    keys: dict[str, set[str]] = {scope: set() for scope in SCOPES}
    for _what, scope, key in used:
        keys[scope.partition(".")[0]].add(key)
    accounts = list(Account.objects.filter(pk__in=keys["account"]).order_by())
    people = list(User.objects.filter(pk__in=keys["user"]).prefetch_related("groups"))
    rules = list(DailyLimit.objects.all())
    exempt = current_exemptions(Q(scope__in=("account", "user")))
    seen = set()
    for what in KINDS:
        own = [rule for rule in rules if rule.what in (what, ALL)]
        caps = [*_shared(RuleBook(what, own, exempt), accounts, keys["country"])]
        caps += [cap for person in people for cap in _of_person(what, own, exempt, person)]
        for cap in caps:
            if cap.name in used and cap not in seen:
                seen.add(cap)
                yield cap, used[cap.name]


def _shared(book: RuleBook, accounts: list[Account], countries: set[str]) -> Iterator[Cap]:
    for account in accounts:
        yield from book.sender_caps(account, None)
    for country in countries:
        yield from book.country_caps(country)


def _of_person(
    what: str, rules: list[DailyLimit], exempt: list[tuple[str, str]], person: User
) -> Iterator[Cap]:
    if ("user", str(person.pk)) in exempt:
        return
    roles = {group.pk for group in person.groups.all()}
    own = [
        rule
        for rule in rules
        if (rule.user_id in (None, person.pk)) and (rule.group_id is None or rule.group_id in roles)
    ]
    book = RuleBook(what, own, exempt)
    for window in WINDOWS:
        if cap := book.person_cap(person, window):
            yield cap
