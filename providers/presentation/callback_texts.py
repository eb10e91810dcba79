"""Texts for staff about the content and the problems of callbacks."""

from __future__ import annotations

import re
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from core.redaction import HIDDEN, Fields, Redactor, fields_of, mask_numbers
from core.templatetags.portal import visible

from ..callbacks.process import NO_CLIENT
from ..callbacks.retry import FAULT
from ..callbacks.self_test import Problem, is_running
from ..gateway.client import ReceivesCallbacks
from ..gateway.vocabulary import DeliveryState as D
from ..models import Callback, CallbackTest

TEXT_FOLLOWS: Final = re.compile(r"(\btext:)", re.IGNORECASE)
REPORT_WORDS: Final[dict[str, Promise]] = {
    D.SUBMITTED: pgettext_lazy("report", "Accepted"),
    D.IN_TRANSIT: pgettext_lazy("report", "On its way"),
    D.UNKNOWN_REPORT: pgettext_lazy("report", "The provider does not know"),
    D.EXPIRED: pgettext_lazy("report", "Expired on the way"),
    D.UNDELIVERED: pgettext_lazy("report", "Not delivered"),
    D.REJECTED: pgettext_lazy("report", "Rejected on the way"),
    D.DELIVERED: pgettext_lazy("report", "Delivered"),
    "succeeded": pgettext_lazy("report", "Check succeeded"),
    "failed": pgettext_lazy("report", "Check failed"),
}
PROBLEMS: Final[dict[str, Promise]] = {
    "unreadable": _("It has no form that is known."),
    "empty": _("It says nothing."),
    "too_many": _("It holds more reports than one request may."),
    "ambiguous": _("A field stands in it more than once, so it can mean two things."),
    "incomplete": _("It names no message, or no state."),
    "unknown_word": _("Its status word is not known, so it changes nothing."),
    "contradiction": _("It says success and error at once."),
    FAULT: _("The portal has a fault with it. Tell the administrator, then process it again."),
    NO_CLIENT: _("This portal has no client for the account's provider any more."),
}
MATCHED_BY: Final[dict[str, Promise]] = {
    "reference": _("our reference"),
    "provider_id": _("the provider's id"),
}
_TEST_PROBLEMS: Final[dict[str, Promise]] = {
    Problem.NO_ADDRESS: _("the portal does not know its own public address (PUBLIC_ADDRESS)"),
    Problem.NO_NAME: _("the host name cannot be found"),
    Problem.REFUSED: _("the connection is refused or breaks"),
    Problem.TIMED_OUT: _("it does not answer within 10 s"),
    Problem.TLS: _("its certificate is not valid"),
    Problem.STATUS: _("it answers with %(detail)s"),
    Problem.SOMEBODY_ELSE: _("something else answers there, not this portal"),
}


def report_text(callback: Callback) -> str:
    """The reported state in our word, followed by the provider's words in brackets."""
    word = str(REPORT_WORDS.get(callback.says, ""))
    own = mask_words(callback.words).strip()
    if not word:
        return own or gettext("nothing that is known")
    if callback.events > 1:
        more = gettext("and %(count)s more") % {"count": callback.events - 1}
        return f"{word} {more}"
    return word if own.casefold() in ("", callback.says.casefold()) else f"{word} ({own})"


def problem_text(problem: str) -> str:
    return str(PROBLEMS.get(problem, problem))


def verdict_text(test: CallbackTest) -> str:
    """The result of a test of the callback address."""
    if is_running(test):
        return gettext("Calling our own address …")
    if test.ended_at is None:
        return gettext("The test came to no end. Look whether the queue runs, then test again.")
    if not test.problem:
        return gettext("Our address answers from outside.")
    reason = str(_TEST_PROBLEMS.get(test.problem, test.problem)) % {"detail": test.detail}
    return gettext(
        "Our address does not answer from outside: %(reason)s. Reports cannot arrive."
    ) % {"reason": reason}


def mask_words(text: str) -> str:
    """A provider's words without numbers and message texts. What follows `text:` is the text of the
    message."""
    head, marker, rest = (*TEXT_FOLLOWS.split(text, maxsplit=1), "", "")[:3]
    return mask_numbers(head) + marker + (HIDDEN if rest.strip() else "")


def raw_query(callback: Callback, *, whole: bool) -> str:
    if whole:
        return visible(callback.query)
    return visible(mask_words(Redactor().redact_form(callback.query, _fields(callback))))


def raw_body(callback: Callback, *, whole: bool) -> str:
    """The body as text. Unless it is shown `whole`, numbers and message texts are masked."""
    text = bytes(callback.body).decode("utf-8", "backslashreplace")
    if whole:
        return visible(text)
    if "multipart" in callback.content_type.lower():
        return HIDDEN
    return visible(mask_words(Redactor().redact_body(text, _fields(callback))))


def _fields(callback: Callback) -> Fields:
    client = callback.account.client
    if client is None or not issubclass(client, ReceivesCallbacks):
        return fields_of(frozenset())
    return fields_of(client.callback_hidden)
