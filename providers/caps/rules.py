"""Which caps apply to a send: the rules that staff set, else the defaults, less what is exempt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from django.contrib.auth.models import Group, User
from django.db.models import Q

from .. import clock
from ..models import Account, CapExemption, DailyLimit
from .cap import ALL, EACH, Cap
from .defaults import default_caps, range_of
from .windows import Window

RECIPIENT: Final = ("number", "prefix", "country")
SHORTEST_PREFIX: Final = 2
"""The plus sign and one digit."""


class RuleBook:
    """The caps of one kind of send."""

    def __init__(
        self, what: str, rules: Iterable[DailyLimit], exempt: Iterable[tuple[str, str]]
    ) -> None:
        self.what = what
        self._exempt = frozenset(exempt)
        self._exempt_prefixes = {key for scope, key in self._exempt if scope == "prefix"}
        self._shared: dict[tuple[str, str, str, Window], DailyLimit] = {}
        self._own: dict[Window, DailyLimit] = {}
        self._of_roles: dict[Window, DailyLimit] = {}
        for rule in rules:
            window = Window(rule.window)
            if rule.user_id is not None:
                self._own[window] = rule
            elif rule.group_id is not None:
                highest = self._of_roles.get(window)
                if highest is None or rule.most > highest.most:
                    self._of_roles[window] = rule
            else:
                self._shared[rule.what, rule.scope, rule.key, window] = rule
        self._defaults = {
            (one.scope, one.window): one.most for one in default_caps() if one.what == what
        }
        self._kinds = self._kinds_by_scope()

    def _kinds_by_scope(self) -> dict[str, list[tuple[str, Window]]]:
        """What is capped per scope, so that a large batch asks for nothing else."""
        kinds: dict[str, set[tuple[str, Window]]] = {scope: set() for scope in RECIPIENT}
        for what, scope, _key, window in self._shared:
            kinds.setdefault(scope, set()).add((what, window))
        for scope, window in self._defaults:
            kinds.setdefault(scope, set()).add((self.what, window))
        return {scope: sorted(found) for scope, found in kinds.items()}

    @property
    def caps_recipients(self) -> bool:
        """Whether any number, prefix or country has a cap."""
        return any(self._kinds[scope] for scope in RECIPIENT)

    # --- who and what sends ------------------------------------------------------

    def sender_caps(self, account: Account, user: User | None) -> list[Cap]:
        """The caps of the account and of the person, on everything that they send."""
        caps = list(self._account_caps(account))
        if user is not None and ("user", str(user.pk)) not in self._exempt:
            caps += [cap for window in Window if (cap := self.person_cap(user, window))]
        return caps

    def _account_caps(self, account: Account) -> Iterator[Cap]:
        key = str(account.pk)
        if ("account", key) in self._exempt:
            return
        if account.daily_limit is not None:
            # One limit for all kinds, since they are paid from the same balance.
            yield Cap(ALL, "account", key, account.daily_limit)
        for what, window in self._kinds.get("account", ()):
            rule = self._shared.get((what, "account", key, window))
            if rule is not None:
                yield Cap(what, "account", key, rule.most, window, rule.pk)

    def person_cap(self, user: User, window: Window) -> Cap | None:
        """The cap of a person: their own, else the highest of their roles, else each person's."""
        key = str(user.pk)
        rule = self._own.get(window) or self._of_roles.get(window)
        rule = rule or self._shared.get((self.what, "user", EACH, window))
        if rule is not None:
            return Cap(self.what, "user", key, rule.most, window, rule.pk)
        most = self._defaults.get(("user", window))
        return None if most is None else Cap(self.what, "user", key, most, window)

    # --- who receives ------------------------------------------------------------

    def recipient_caps(self, number: str, country: str) -> list[Cap]:
        """The caps of a number (E.164), of the prefixes that it begins with, and of its country.

        An exempt number has none of them.
        """
        if not self.caps_recipients or self._is_exempt(number):
            return []
        found = list(self._found("number", number))
        found += self._found("prefix", range_of(number))
        found += self.country_caps(country)
        if self._kinds["prefix"]:
            own_range = range_of(number)
            for key in prefixes_of(number):
                if key != own_range:
                    found += self._found("prefix", key, is_each=False)
        return found

    def country_caps(self, country: str) -> list[Cap]:
        return list(self._found("country", country))

    def _found(self, scope: str, key: str, *, is_each: bool = True) -> Iterator[Cap]:
        for what, window in self._kinds[scope]:
            rule = self._shared.get((what, scope, key, window))
            if rule is None and is_each:
                rule = self._shared.get((what, scope, EACH, window))
            if rule is not None:
                yield Cap(what, scope, key, rule.most, window, rule.pk)
            elif is_each and what == self.what and (scope, window) in self._defaults:
                yield Cap(what, scope, key, self._defaults[scope, window], window)

    def _is_exempt(self, number: str) -> bool:
        if ("number", number) in self._exempt:
            return True
        return bool(self._exempt_prefixes) and not self._exempt_prefixes.isdisjoint(
            prefixes_of(number)
        )


def prefixes_of(number: str) -> list[str]:
    """What an E.164 number begins with, at any length."""
    return [number[:length] for length in range(SHORTEST_PREFIX, len(number))]


def book_of_send(
    what: str, account: Account | None, user: User | None, number: str = "", country: str = ""
) -> RuleBook:
    """The rules that concern one send, in two queries."""
    person = str(user.pk) if user else ""
    sender = str(account.pk) if account else ""
    wanted = Q(scope="account", key=sender)
    if user is not None:
        roles = Group.objects.filter(user=user).values("pk")
        wanted |= Q(user=user) | Q(group__in=roles) | Q(scope="user", key=EACH)
    if country:
        wanted |= Q(scope="country", key__in=(country, EACH))
    prefixes: list[str] = []
    if number:
        prefixes = prefixes_of(number)
        wanted |= Q(scope="number", key__in=(number, EACH))
        wanted |= Q(scope="prefix", key__in=(*prefixes, EACH))
    rules = DailyLimit.objects.filter(wanted, what__in=(what, ALL))
    exempt = Q(scope="account", key=sender) | Q(scope="user", key=person)
    exempt |= Q(scope="number", key=number) | Q(scope="prefix", key__in=prefixes)
    return RuleBook(what, rules, current_exemptions(exempt))


def book_of_recipients(what: str) -> RuleBook:
    """All rules about numbers, prefixes and countries, for many recipients, in two queries."""
    rules = DailyLimit.objects.filter(what__in=(what, ALL), scope__in=RECIPIENT)
    return RuleBook(what, rules, current_exemptions(Q(scope__in=("number", "prefix"))))


def current_exemptions(wanted: Q) -> list[tuple[str, str]]:
    current = CapExemption.objects.filter(wanted, ended_at=None, ends_at__gt=clock.now())
    return list(current.order_by().values_list("scope", "key"))
