"""The kinds of rules: what each asks for, what it looks at, and which page shows the matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from .facts import Facts, Finding
from .models import Rule
from .replays import money as past_money
from .replays import portal as past_portal
from .replays import traffic as past_traffic
from .replays.spells import Past, Spell
from .watches import money, people, portal, traffic

Watcher = Callable[[Rule, Facts], Iterable[Finding]]
Replay = Callable[[Rule, Past], Iterable[Spell]]


@dataclass(frozen=True, slots=True)
class Threshold:
    """A field of the form: its label with the unit, and which whole numbers it takes."""

    label: Promise
    default: int
    low: int
    high: int
    help: Promise | str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    key: str
    """Stored, so it never changes."""
    area: Promise
    title: Promise
    about: Promise
    """What it looks at, in a few words."""
    find: Watcher
    url_name: str
    on_replay: Promise
    """What a test with the last days goes by, or why there is none."""
    replay: Replay | None = None
    query: str = ""
    limit: Threshold | None = None
    least: Threshold | None = None
    says: Promise | None = None
    """The threshold in words, with %(limit)s and %(least)s. None: anything that is found."""
    says_zero: Promise | None = None
    """The same for a limit of 0."""
    by_account: bool = False
    """Whether a rule may be about one account."""
    is_event: bool = False
    """It happens and is over: there is no recovery to tell, and quiet hours only put it off."""


MONEY: Final = pgettext_lazy("alerts", "Money")
SENDING: Final = pgettext_lazy("alerts", "Sending")
PEOPLE: Final = pgettext_lazy("alerts", "People")
PORTAL: Final = pgettext_lazy("alerts", "Portal")
_HOUR: Final = 60
_PER_ACCOUNT: Final = _("per account")
_BY_FIGURES: Final = _("Based on the figures, with what is known by now about each message.")

KINDS: Final = (
    Kind(
        "balance",
        MONEY,
        _("Balance is low"),
        _PER_ACCOUNT,
        money.balance_below,
        "admin:providers_account_changelist",
        _("Based on the balances that were read."),
        past_money.balance_below,
        limit=Threshold(
            _("Amount, in the unit of the account"),
            0,
            0,
            1_000_000_000,
            _("0: below the warning amount that each account has."),
        ),
        says=_("below %(limit)s"),
        says_zero=_("below the warning amount of the account"),
        by_account=True,
    ),
    Kind(
        "runway",
        MONEY,
        _("Balance runs out"),
        _PER_ACCOUNT,
        money.balance_runs_out,
        "admin:providers_account_changelist",
        _("Based on how the balance fell between readings."),
        past_money.balance_runs_out,
        limit=Threshold(_("Warn if it lasts less than (hours)"), 8, 1, 24 * 60),
        says=_("lasts less than %(limit)s h"),
        by_account=True,
    ),
    Kind(
        "cap",
        MONEY,
        _("Cap nearly used"),
        _("country, account, person"),
        money.caps_nearly_used,
        "admin:providers_dailylimit_changelist",
        _("How much of a cap was used is kept for one day only."),
        limit=Threshold(_("Percent of the cap"), 80, 1, 100),
        says=_("%(limit)s%% of the cap"),
    ),
    Kind(
        "paused",
        SENDING,
        _("Account paused"),
        _("by the portal, not by staff"),
        traffic.accounts_paused,
        "admin:providers_account_changelist",
        _("Based on the pauses of each account."),
        past_traffic.accounts_paused,
        limit=Threshold(_("Minutes that the pause has lasted"), 0, 0, 24 * _HOUR),
        says=_("for %(limit)s min"),
        says_zero=pgettext_lazy("alert rule", "at once"),
        by_account=True,
    ),
    Kind(
        "unknown",
        SENDING,
        _("Outcome unknown"),
        _("messages, codes and orders without a known outcome"),
        traffic.outcomes_unknown,
        "admin:messaging_message_changelist",
        _("Once an outcome is known, nothing shows how long it was not."),
        query="shown=unknown",
        limit=Threshold(_("How many on one account"), 1, 1, 1_000_000),
        says=_("%(limit)s or more on one account"),
        by_account=True,
    ),
    Kind(
        "reports",
        SENDING,
        _("Reports missing"),
        _("accounts that give reports"),
        traffic.reports_missing,
        "admin:providers_callback_changelist",
        _("Nothing shows afterwards which messages waited for a report, and when."),
        limit=Threshold(_("Hours without a report while messages wait"), 1, 1, 24 * 14),
        says=_("no report for %(limit)s h"),
        by_account=True,
    ),
    Kind(
        "failures",
        SENDING,
        _("Many messages fail"),
        _("of the last 2 hours, per account"),
        traffic.messages_failed,
        "admin:figures",
        _BY_FIGURES,
        past_traffic.messages_failed,
        limit=Threshold(_("Percent that failed"), 30, 1, 100),
        least=Threshold(_("Messages of which the outcome is known, at least"), 100, 1, 1_000_000),
        says=_("%(limit)s%% or more, of at least %(least)s"),
        by_account=True,
    ),
    Kind(
        "unusual",
        SENDING,
        _("More messages fail than usual"),
        _("against the 7 days before"),
        traffic.more_fail_than_usual,
        "admin:figures",
        _BY_FIGURES,
        past_traffic.more_fail_than_usual,
        limit=Threshold(_("Percentage points above usual"), 10, 10, 100),
        says=_("%(limit)s points or more"),
        by_account=True,
    ),
    Kind(
        "conversion",
        SENDING,
        _("Few codes verified"),
        _("of the last hour, per account and range of numbers"),
        traffic.codes_not_verified,
        "admin:otp_session_changelist",
        _("Based on the figures of each account. They have no ranges of numbers, and no bursts."),
        past_traffic.codes_not_verified,
        limit=Threshold(
            _("Warn if fewer are verified than (percent)"), settings.CODE_ALARM_PERCENT, 1, 100
        ),
        least=Threshold(_("Codes sent, at least"), settings.CODE_ALARM_SENT, 1, 1_000_000),
        says=_("less than %(limit)s%%, of at least %(least)s"),
    ),
    Kind(
        "approval",
        PEOPLE,
        _("Approval waiting"),
        _("batches and orders"),
        people.approvals_waiting,
        "admin:approvals",
        _("Based on when each request was made and decided."),
        past_portal.approvals_waiting,
        limit=Threshold(_("Minutes that a request has waited"), 15, 1, 7 * 24 * _HOUR),
        says=_("for %(limit)s min"),
    ),
    Kind(
        "emergency",
        PEOPLE,
        _("Emergency account used"),
        _("each sign-in"),
        people.emergency_sign_ins,
        "admin:audit_entry_changelist",
        _("Based on the audit log."),
        past_portal.emergency_sign_ins,
        is_event=True,
    ),
    Kind(
        "queue",
        PORTAL,
        _("Queue not running"),
        _("the engine does not run, or what is due waits"),
        portal.queue_down,
        "admin:hosts",
        _("Nothing shows afterwards how long messages or orders were due."),
        limit=Threshold(_("Minutes that it has lasted"), 1, 1, 24 * _HOUR),
        says=_("for %(limit)s min"),
    ),
    Kind(
        "hold",
        PORTAL,
        _("Everything on hold"),
        _("until a person decides"),
        portal.on_hold,
        "admin:hold",
        _("Based on when each hold began and ended."),
        past_portal.on_hold,
    ),
    Kind(
        "backup",
        PORTAL,
        _("Backup too old"),
        _("or never made"),
        portal.backup_too_old,
        "admin:hosts",
        _("Only the time of the last backup is kept."),
        limit=Threshold(_("Hours since the last backup"), 26, 1, 24 * 365),
        says=_("older than %(limit)s h"),
    ),
    Kind(
        "secret",
        PORTAL,
        _("Secret too old"),
        _("keys and passwords of accounts"),
        portal.secrets_too_old,
        "admin:providers_account_changelist",
        _("Based on the age of the keys and passwords in use now."),
        past_portal.secrets_too_old,
        limit=Threshold(_("Days since it was entered"), 365, 1, 3650),
        says=_("older than %(limit)s days"),
        by_account=True,
    ),
    Kind(
        "audit",
        PORTAL,
        _("Audit log broken"),
        _("found by the daily check"),
        portal.audit_broken,
        "admin:audit_entry_changelist",
        _("Based on the checks of the audit log."),
        past_portal.audit_broken,
    ),
)
BY_KEY: Final = {kind.key: kind for kind in KINDS}


def kind_of(rule: Rule) -> Kind | None:
    """None for a rule of another version of the portal."""
    return BY_KEY.get(rule.kind)
