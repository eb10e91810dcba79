"""The accounts of a run, each with its own login in the sandbox."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from string import ascii_uppercase
from typing import Any

from providers import accounts
from providers.models import Account
from sandbox.remote import Remote

from ..clusters import answer_after

WIDTHS = (1, 2, 4, 8)
"""Calls in flight of each HAORUI account."""
LIMITED: dict[str, Any] = {"in_flight": 4, "per_second": 20, "per_minute": 1200}
"""A further HAORUI account, whose claimed messages have to wait for their slots."""
WEIGHTS = (*WIDTHS, 1)
"""Share of the texts that each HAORUI account gets."""
UNLIMITED: dict[str, Any] = {"per_second": 10_000, "per_minute": 600_000}
CHANNEL = "China OTP Channel 1"

DELAYS = {
    "haorui": (0.08, 0.2),
    "haosms": (0.2, 0.4),
    "otpservice": (0.2, 0.4),
    "gosms": (0.2, 0.4),
}
"""Minimum and maximum of the seconds until the provider answers, drawn again after each kill."""
SLOWEST = max(slowest for _, slowest in DELAYS.values())

NEVER_AN_SMS = "nosms"
PROJECTS = ("whatsapp", "telegram", "facebook", "google", NEVER_AN_SMS)
PRICE = "0.50"
COMPLETE_DELAY = 1.0
"""Seconds from an SMS to the completion of its order."""


@dataclass(frozen=True)
class Accounts:
    haorui: tuple[Account, ...]
    haosms: tuple[Account, ...]
    otpservice: tuple[Account, ...]
    gosms: tuple[Account, ...]

    def __iter__(self) -> Iterator[Account]:
        yield from (*self.haorui, *self.haosms, *self.otpservice, *self.gosms)


def make_accounts(remote: Remote, url: str) -> Accounts:
    """`url` is the sandbox's own address."""
    widths = [{**UNLIMITED, "in_flight": width} for width in WIDTHS]
    haorui = (_haorui(remote, url, index, one) for index, one in enumerate([*widths, LIMITED]))
    return Accounts(
        haorui=tuple(haorui),
        haosms=(_haosms(remote, url),),
        otpservice=(_otpservice(remote, url),),
        # One adopts the order found after a lost answer, the other leaves that to staff.
        gosms=(_gosms(remote, url, 1, exclusive=True), _gosms(remote, url, 2, exclusive=False)),
    )


def label_of(account: Account) -> str:
    """The account's label in the sandbox's book."""
    return account.name


def set_up_providers(remote: Remote, *, sms_delay: float, lifetime: float) -> None:
    """Switch reports and refusals off, and give every region a price.

    Each pair of letters is a region. Each order can thus have its own pair of app and region, so
    that a repeated call always shows.
    """
    remote.change_settings("otpservice", report_delay=None)
    remote.change_settings(
        "gosms",
        rate_per_second=0,
        rate_per_minute=0,
        sms_delay=sms_delay,
        lifetime=lifetime,
        complete_delay=COMPLETE_DELAY,
        list_order="shuffled",
        projects=list(PROJECTS),
        prices=dict.fromkeys(regions(), PRICE),
    )


def regions() -> list[str]:
    return [first + second for first, second in product(ascii_uppercase, repeat=2)]


def change_delays(remote: Remote, chance: random.Random) -> None:
    for provider, (fastest, slowest) in DELAYS.items():
        answer_after(remote, chance.uniform(fastest, slowest), provider)


def _haorui(remote: Remote, url: str, index: int, limits: dict[str, Any]) -> Account:
    name, login = f"haorui {index + 1}", {"api_id": f"CHAOS{index}", "api_password": "password"}
    remote.add_account("haorui", name, login["api_id"], login["api_password"])
    return accounts.create_account(
        name=name,
        provider="haorui",
        base_url=f"{url}/haorui",
        credentials=login,
        options={"sender_ids": ["BENCH"], "kind": "T"},
        allowed_countries=["CN"],
        **limits,
    )


def _haosms(remote: Remote, url: str) -> Account:
    remote.add_account("haosms", "haosms", "chaos-haosms-key")
    return accounts.create_account(
        name="haosms",
        provider="haosms",
        base_url=f"{url}/haosms",
        credentials={"api_key": "chaos-haosms-key"},
        options={"channels": [CHANNEL]},
        allowed_countries=["CN"],
        in_flight=3,
        **UNLIMITED,
    )


def _otpservice(remote: Remote, url: str) -> Account:
    login = {"username": "chaos", "password": "password"}
    remote.add_account("otpservice", "otpservice", login["username"], login["password"])
    return accounts.create_account(
        name="otpservice",
        provider="otpservice",
        base_url=f"{url}/otpservice",
        credentials=login,
        allowed_countries=["CN"],
        in_flight=4,
        **UNLIMITED,
    )


def _gosms(remote: Remote, url: str, number: int, *, exclusive: bool) -> Account:
    name = f"gosms {number}"
    remote.add_account("gosms", name, f"ch_chaos{number}")
    return accounts.create_account(
        name=name,
        provider="gosms",
        base_url=f"{url}/gosms/api/v1",
        credentials={"api_key": f"ch_chaos{number}"},
        options={"exclusive_key": exclusive},
        in_flight=2 * number,
        **UNLIMITED,
    )
