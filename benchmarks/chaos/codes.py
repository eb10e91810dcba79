"""Code sessions over every provider that sends codes, and checks of the OTP Service's codes."""

from __future__ import annotations

import random
from itertools import count

from django.contrib.auth.models import User

from core.phones.parse import parse_number
from otp.check_code import NoAnswerYet, check
from otp.models import Session
from otp.routes import default_route, with_dots
from otp.sessions import CheckUnderWay, NotOpen, Plan, start
from otp.states import UNDER_WAY, SessionState
from providers.models import Account

from .sandbox_book import SandboxBook

TEXT = "Your code is XXXX."
MINUTES = 10
SHARE_OF_RIGHT_CODES = 0.4
NUMBERS_PER_PREFIX = 50
"""Lower than the daily limit of a prefix."""


class Codes:
    def __init__(self, by: User, book: SandboxBook, chance: random.Random) -> None:
        self._by = by
        self._book = book
        self._chance = chance
        self._serial = count(1)
        self._wrong_codes = count(1)
        self.checked: dict[int, tuple[str, str]] = {}
        """Attempt to the provider's session id and the code checked.

        No two pairs are equal, so a pair identifies a call.
        """

    def send(self, account: Account, number: int) -> None:
        route = default_route(account, "CN", with_dots(TEXT))
        for _ in range(number):
            serial = next(self._serial)
            recipient = parse_number(f"+86137{serial // NUMBERS_PER_PREFIX:04}{serial:04}")
            plan = Plan(route=route, recipient=recipient, minutes=MINUTES)
            start(plan, by=self._by, form_token=f"chaos-code-{serial}")

    def check(self, number: int) -> None:
        """Check correct and wrong codes of sessions that the OTP Service accepted."""
        sessions = Session.objects.filter(
            account__provider="otpservice",
            state__in=(SessionState.SENT, SessionState.CHECK_UNKNOWN),
        ).exclude(attempts__state__in=sorted(UNDER_WAY))
        ready = list(sessions.order_by("pk"))
        for session in self._chance.sample(ready, min(number, len(ready))):
            self._check_one(session)

    def _check_one(self, session: Session) -> None:
        provider_id = session.newest_code().message.provider_id
        checked = provider_id, self._code_for(provider_id)
        try:
            attempt = check(session, checked[1], by=self._by, form_token=None)
        except (NotOpen, NoAnswerYet, CheckUnderWay):
            # The engine runs concurrently and has decided it meanwhile.
            return
        self.checked[attempt.pk] = checked

    def _code_for(self, provider_id: str) -> str:
        right = self._book.codes.get(provider_id)
        tried = {code for sid, code in self.checked.values() if sid == provider_id}
        if right and right not in tried and self._chance.random() < SHARE_OF_RIGHT_CODES:
            return right
        wrong = f"{next(self._wrong_codes):06}"
        return wrong if wrong != right else f"{next(self._wrong_codes):06}"
