"""Texts for staff about the content and the problems of callbacks."""

from __future__ import annotations

import re
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from core.punctuation import in_brackets
from core.redaction import HIDDEN, Fields, Redactor, fields_of, mask_numbers
from core.templatetags.portal import visible

from ..callbacks.process import NO_CLIENT
from ..callbacks.retry import FAULT
from ..callbacks.self_test import Problem, is_running
from ..gateway.charsets import decode
from ..gateway.client import ReceivesCallbacks
from ..gateway.vocabulary import DeliveryState as D
from ..models import Callback, CallbackTest

TEXT_FOLLOWS: Final = re.compile(r"(\btext:)", re.IGNORECASE)
REPORT_WORDS: Final[dict[str, Promise]] = {
    D.SUBMITTED: pgettext_lazy("report", "Accepted"),
    D.IN_TRANSIT: pgettext_lazy("report", "On its way"),
    D.UNKNOWN_REPORT: pgettext_lazy("report", "Unknown to the provider"),
    D.EXPIRED: pgettext_lazy("report", "Expired before delivery"),
    D.UNDELIVERED: pgettext_lazy("report", "Not delivered"),
    D.REJECTED: pgettext_lazy("report", "Rejected by the network"),
    D.DELIVERED: pgettext_lazy("report", "Delivered"),
    "succeeded": pgettext_lazy("report", "Check succeeded"),
    "failed": pgettext_lazy("report", "Check failed"),
}
PROBLEMS: Final[dict[str, Promise]] = {
    "unreadable": _("Unknown format."),
    "empty": _("The callback is empty."),
    "too_many": _("It contains more reports than one request may."),
    "ambiguous": _("A field appears more than once, so its meaning is unclear."),
    "incomplete": _("The message ID or the state is missing."),
    "unknown_word": _("Unknown status; nothing was changed."),
    "two_subjects": _(
        "Its two IDs belong to two messages. It was applied to the one with our reference, and both"
        " are marked as conflicting."
    ),
    "shared_id": _(
        "The provider gave this ID to several messages, so it is unknown which one is meant."
    ),
    "contradiction": _("It reports success and failure at once."),
    FAULT: _("The portal failed to process it. Tell the administrator, then process it again."),
    NO_CLIENT: _("The portal no longer supports this account's provider."),
}
MATCHED_BY: Final[dict[str, Promise]] = {
    "reference": _("our reference"),
    "provider_id": _("the provider's id"),
}
_TEST_PROBLEMS: Final[dict[str, Promise]] = {
    Problem.NO_ADDRESS: _("the portal's public address is not set (PUBLIC_ADDRESS)"),
    Problem.NO_NAME: _("the host name cannot be found"),
    Problem.REFUSED: _("the connection is refused or interrupted"),
    Problem.TIMED_OUT: _("no answer within 10 s"),
    Problem.TLS: _("the certificate is not valid"),
    Problem.STATUS: _("the answer is %(detail)s"),
    Problem.SOMEBODY_ELSE: _("another system answers at this address"),
}


def report_text(callback: Callback) -> str:
    """The reported state in our word, followed by the provider's words in brackets."""
    word = str(REPORT_WORDS.get(callback.says, ""))
    own = mask_words(callback.words).strip()
    if not word:
        return own or gettext("unknown content")
    if callback.events > 1:
        more = {"word": word, "count": callback.events - 1}
        return gettext("%(word)s and %(count)s more") % more
    if own.casefold() in ("", callback.says.casefold()):
        return word
    return in_brackets(word, own)


def problem_text(problem: str) -> str:
    return str(PROBLEMS.get(problem, problem))


def verdict_text(test: CallbackTest) -> str:
    """The result of a test of the callback address."""
    if is_running(test):
        return gettext("Testing the callback address…")
    if test.ended_at is None:
        return gettext("The test did not finish. Check that the queue is running, then test again.")
    if not test.problem:
        return gettext("The callback address can be reached from outside.")
    reason = str(_TEST_PROBLEMS.get(test.problem, test.problem)) % {"detail": test.detail}
    return gettext(
        "The callback address cannot be reached from outside: %(reason)s. Reports cannot arrive."
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
    text = decode(bytes(callback.body), callback.content_type)
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
