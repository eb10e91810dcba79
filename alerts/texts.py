"""What alerts say, as stored texts: each receiver reads them in their own language.

They have counts, names of accounts, shares and times. None has a phone number, a text or a code.
"""

from __future__ import annotations

from typing import Final

from django.utils.translation import gettext_lazy as _

from core.stored_texts import declare

BALANCE_LOW: Final = declare(
    "alert.balance_low", _("%(account)s: the balance is below the warning amount of the account")
)
BALANCE_BELOW: Final = declare(
    "alert.balance_below", _("%(account)s: the balance is below %(limit)s")
)
RUNS_OUT: Final = declare(
    "alert.runs_out",
    _("%(account)s: at the present rate, the balance is used up within %(hours)s h"),
)
CAP_OF_ACCOUNT: Final = declare(
    "alert.cap_of_account", _("%(account)s: %(percent)s%% of a cap is used")
)
CAP_OF_COUNTRY: Final = declare(
    "alert.cap_of_country", _("Country or region %(country)s: %(percent)s%% of a cap is used")
)
CAP_OF_PEOPLE: Final = declare(
    "alert.cap_of_people", _("People who have used %(percent)s%% or more of a cap: %(count)s")
)
PAUSED: Final = declare("alert.paused", _("%(account)s is paused. Reason: %(reason)s"))
UNKNOWN: Final = declare("alert.unknown", _("%(account)s: unknown outcomes: %(count)s"))
REPORTS_MISSING: Final = declare(
    "alert.reports_missing",
    _("%(account)s: no delivery reports for %(hours)s h, although messages wait for them"),
)
FAILURES: Final = declare(
    "alert.failures",
    _("%(account)s: %(percent)s%% of %(count)s messages failed in the last 2 hours"),
)
UNUSUAL_ACCOUNT: Final = declare(
    "alert.unusual_account",
    _("%(account)s: %(percent)s%% of messages failed in the last 2 hours, usually %(usual)s%%"),
)
UNUSUAL_COUNTRY: Final = declare(
    "alert.unusual_country",
    _(
        "Country or region %(country)s: %(percent)s%% of messages failed in the last 2 hours,"
        " usually %(usual)s%%"
    ),
)
CONVERSION: Final = declare(
    "alert.conversion",
    _("%(account)s: only %(percent)s%% of the codes of the last hour were verified"),
)
CONVERSION_RANGES: Final = declare(
    "alert.conversion_ranges",
    _("Ranges of numbers for which few codes of the last hour were verified: %(count)s"),
)
BURSTS: Final = declare(
    "alert.bursts",
    _("Ranges of numbers that got unusually many codes in the last 10 minutes: %(count)s"),
)
APPROVALS: Final = declare(
    "alert.approvals", _("Requests that have waited for approval for %(minutes)s min: %(count)s")
)
EMERGENCY: Final = declare("alert.emergency", _("An emergency account was used to sign in"))
ENGINE_DOWN: Final = declare(
    "alert.engine_down", _("The engine is not running. Messages and orders wait; nothing is lost")
)
QUEUE_SLOW: Final = declare(
    "alert.queue_slow", _("Messages or orders have been due for %(minutes)s min. Nothing is lost")
)
HOLD: Final = declare("alert.hold", _("Everything is on hold. Decide what may go out"))
BACKUP_OLD: Final = declare("alert.backup_old", _("The last backup is older than %(hours)s h"))
BACKUP_NONE: Final = declare("alert.backup_none", _("No backup has been made"))
SECRET_OLD: Final = declare(
    "alert.secret_old", _("%(account)s: a key or password is older than %(days)s days")
)
AUDIT_BROKEN: Final = declare(
    "alert.audit_broken",
    _("The chain of the audit log is broken: entries were changed or removed"),
)
