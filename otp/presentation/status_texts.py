"""Texts on the page of a session: the result of the last try, sending, and the end."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.money_lines import MoneyLine
from core.people import person_name
from core.punctuation import join_sentences
from core.secrets import DOTS
from core.times import duration, full_time, short_time
from messaging.on_hold import is_on_hold
from messaging.presentation.explanations import explanation_of
from providers import clock
from providers.error_texts import explain, own_words
from providers.pause_facts import Reader, may_fix_accounts, pause_fact

from ..models import MAX_TRIES, Attempt, SentCode, Session
from ..sessions import REPLACED, TRIES_USED
from ..states import NOT_CHECKED, UNDER_WAY, AttemptState, SessionState
from .labels import shown_state

A = AttemptState
S = SessionState


@dataclass(frozen=True, slots=True)
class StatusText:
    """`tone` is a role of the state labels; `money` is the letter of a money line, or empty."""

    text: str = ""
    tone: str = "info"
    next_step: str = ""
    money: str = ""
    words: str = ""
    """The provider's own words, if they help."""


def tries_left(session: Session) -> str:
    left = session.tries_left
    return ngettext("%(n)s try left", "%(n)s tries left", left) % {"n": left}


def verdict(
    session: Session, attempt: Attempt | None, code: SentCode, reader: Reader
) -> StatusText:
    """Result of the last try, shown beside the field while the session is open."""
    if attempt is None or (attempt.created_at < code.made_at and attempt.state not in UNDER_WAY):
        return StatusText()
    left = tries_left(session)
    match attempt.state:
        case A.WRONG:
            return StatusText(
                _("Wrong code. %(left)s.") % {"left": left},
                "danger",
                _("Ask the customer to read it again."),
            )
        case A.EARLIER:
            return _earlier(attempt, code, left)
        case A.UNKNOWN:
            return StatusText(
                _("It is not known whether the provider processed this check."),
                "warning",
                _("Check again, or send a new code. Checking again may use up a try."),
            )
        case A.REFUSED:
            why = explain(
                attempt.reason,
                words=attempt.words,
                pause=pause_fact(attempt.account, attempt.reason, attempt.ended_at),
                may_fix=may_fix_accounts(reader),
            )
            step = why.next_step
            if attempt.reason in NOT_CHECKED:
                no_try_used = _("No try was used.")
                step = join_sentences(no_try_used, step)
            return StatusText(
                why.title, "danger", step, words=own_words(attempt.reason, attempt.words)
            )
        case A.NOT_DONE:
            return StatusText(
                _("The code was not checked: the provider could not be reached. No try was used."),
                "warning",
                _("Check again."),
            )
    return StatusText(_("Checking with the provider…"))


def _earlier(attempt: Attempt, newest: SentCode, left: str) -> StatusText:
    times = {
        "time": short_time(attempt.sent_code.made_at),
        "newest": short_time(newest.made_at),
        "left": left,
    }
    return StatusText(
        _("That is the previous code, sent at %(time)s. It no longer works. %(left)s.") % times,
        "warning",
        _("Ask for the code in the latest SMS (%(newest)s).") % times,
    )


def sending_status(session: Session, code: SentCode, reader: Reader) -> StatusText:
    """Status of the SMS while the session is open."""
    explanation = explanation_of(code.message, reader)
    if session.state == S.SEND_UNKNOWN:
        return StatusText(
            _("It is not known whether the SMS was sent."),
            "warning",
            _(
                "If the customer has the code, check it. A correct code confirms that the"
                " SMS was sent."
            ),
            MoneyLine.UNKNOWN,
        )
    if is_on_hold(code.message):
        return StatusText(
            _("The SMS is on hold: it is not known whether it was sent before."),
            "warning",
            _("If the customer has the code, check it. Otherwise send a new one."),
            MoneyLine.UNKNOWN,
        )
    if session.state == S.PENDING:
        return StatusText(
            explanation.text or explanation.title, "info", explanation.next_step, explanation.money
        )
    if code.message.state in ("undelivered", "rejected", "expired"):
        return StatusText(
            _("The network reported that the SMS was not delivered."),
            "warning",
            _("Check the number with the customer, then send again."),
        )
    return StatusText()


def end_status(session: Session, code: SentCode, reader: Reader) -> StatusText | None:
    """The large line about the end; None while the session is open."""
    shown = shown_state(session)
    match shown:
        case S.VERIFIED:
            return StatusText(_verified(session), "success")
        case S.EXPIRED:
            text = _("Expired at %(time)s.") % {"time": full_time(session.expires_at)}
            return StatusText(text, "neutral", _too_late(session))
        case S.CANCELLED:
            text = (
                _("Replaced by a newer code for this number.")
                if session.reason == REPLACED
                else _("Cancelled by %(name)s. The code no longer works.")
                % {"name": person_name(session.ended_by)}
            )
            return StatusText(text, "neutral", _too_late(session))
        case S.FAILED if session.reason == TRIES_USED:
            return StatusText(_("All %(n)s tries have been used.") % {"n": MAX_TRIES}, "danger")
        case S.FAILED:
            explanation = explanation_of(code.message, reader)
            text = explanation.title or _("The SMS was not sent.")
            words = own_words(code.message.reason, code.message.words)
            return StatusText(text, "danger", explanation.next_step, explanation.money, words)
    return None


def out_of_tries() -> StatusText:
    """The last try of an open session ended without an answer."""
    return StatusText(
        _(
            "All %(n)s tries have been used. It is not known whether the provider processed"
            " the last one."
        )
        % {"n": MAX_TRIES},
        "warning",
        _("If the provider still answers, that result counts. Otherwise, send a new code."),
    )


def _verified(session: Session) -> str:
    at = session.verified_at or clock.now()
    if session.sent_at is None or session.sent_at > at:
        return _("Verified at %(time)s.") % {"time": full_time(at)}
    return _("Verified at %(time)s, %(took)s after sending.") % {
        "time": full_time(at),
        "took": duration(at - session.sent_at),
    }


def _too_late(session: Session) -> str:
    if session.attempts.filter(too_late=True).exists():
        return _("The provider confirmed the code after the session had ended. Not verified.")
    return ""


def evidence_text(session: Session) -> str:
    if session.provider_says_verified_at is None or session.state == S.VERIFIED:
        return ""
    return _(
        "The provider reports success, but the code was not checked in the portal. Not verified."
    )


def customer_hint(session: Session, code: SentCode) -> str:
    """Hint that helps the customer to find the SMS, as far as its text is known."""
    if code.checked_by_provider:
        return _("The provider generates and checks the code.")
    beginning = code.message.text.split(DOTS)[0].strip(" :：,，")
    values = {"n": code.length, "beginning": beginning}
    if code.is_digits and not beginning:
        return _("Tell the customer: the code has %(n)s digits.") % values
    if code.is_digits:
        text = _(
            "Tell the customer: the code has %(n)s digits, the SMS begins with “%(beginning)s”."
        )
        return text % values
    if not beginning:
        return _("Tell the customer: the code has %(n)s characters.") % values
    return (
        _("Tell the customer: the code has %(n)s characters, the SMS begins with “%(beginning)s”.")
        % values
    )
