"""The demo: a member of staff for each role, accounts with the sandbox, and a month of history.

The first start creates all of it; later starts change nothing.
"""

from __future__ import annotations

from django.db import transaction

from figures.roll_up import bring_up_to_date
from providers import clock

from .accounts import RealAccounts, create_missing_accounts, otp_callback, refuse_real_accounts
from .history import write_history
from .people import create_staff, describe_staff

__all__ = [
    "RealAccounts",
    "describe_staff",
    "otp_callback",
    "prepare",
    "refuse_real_accounts",
]


def prepare(*, history: bool = True) -> dict[str, str]:
    """Create what is missing. Returns the password of each member of staff.

    `history`: also a month of messages, codes, orders and batches, unless there are some already.
    Raises `RealAccounts`.
    """
    refuse_real_accounts()
    with transaction.atomic():
        create_missing_accounts()
        passwords = create_staff()
        if history and write_history(clock.now()):
            # So that the first page that is opened has figures.
            bring_up_to_date()
        return passwords
