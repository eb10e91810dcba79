"""OTP Service: makes, sends and checks codes of its own.

Every call is a GET with the password in its query, and every call costs money or a try. So none
may be repeated automatically.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from providers.gateway.answers import json_object_or_none
from providers.gateway.call import Answer, Effect, Operation, Request
from providers.gateway.client import (
    CannotTake,
    CredentialField,
    MakesCodes,
    OptionField,
    OptionKind,
    ReceivesCallbacks,
)
from providers.gateway.errors import OutcomeUnknown, Refused
from providers.gateway.events import CallbackRequest, Event
from providers.gateway.i18n import gettext_noop as _
from providers.gateway.vocabulary import CheckResult, CodeCheck, ProviderCode, Reason, Submission
from providers.gateway.words import is_id, is_no_id, look_up, verdict_of, word_of

from .otp_reports import PASSED, parse_report
from .parsing import (
    id_of,
    is_success,
    raise_contradiction,
    raise_undecided,
    stated_text,
    text_field,
)

LOGIN_FIELDS: Final = frozenset({"username", "password"})
SEND: Final = Operation(
    "start_code", Effect.PAID, hidden=LOGIN_FIELDS, masked=frozenset({"msisdn"})
)
CHECK: Final = Operation(
    "check_code",
    Effect.PAID,
    hidden=LOGIN_FIELDS | {"code"},
    readable_in_answer=frozenset({"code"}),
)
"""Paid, because a second check can use up a try or return FAILED after a PASS. The CODE of an
answer is a status."""

ACCEPTED: Final = "200"
REFUSALS: Final = {
    "400": Reason.PARAMETERS,
    "401": Reason.CREDENTIALS,
    "412": Reason.ACCOUNT_DISABLED,
}
FAULT: Final = "500"
"""Values of `CODE`, "Response status code": the numbers of HTTP, but in the body."""

NUMBER: Final = re.compile(r"[1-9][0-9]{6,14}")
REFERENCE: Final = re.compile(r"[A-Za-z0-9._~-]{1,64}")

BAD_NUMBER: Final = _("%(provider)s accepts one number with its country code.")
BAD_REFERENCE: Final = _("%(provider)s does not accept the portal's ID for this code.")
NO_SESSION: Final = _("%(provider)s returned no ID for this code, so it cannot be checked.")
NO_CODE: Final = _("There is no code to check.")


class OtpService(MakesCodes, ReceivesCallbacks):
    key = "otpservice"
    name = "OTP Service"
    summary = _("Generate and check codes")
    base_url_help = _(
        "The address the provider gave you, without /send. Its document does not state"
        " one, so there is no default. Give the provider the callback address below."
    )
    documented_paths = ("/send", "/code")
    credential_fields = (
        CredentialField(
            "username", _("API user name"), _("The account name that the provider gave you.")
        ),
        CredentialField(
            "password",
            _("API password"),
            _(
                "The password of that account. This provider requires it in the address of"
                " every call."
            ),
        ),
    )
    option_fields = (
        OptionField(
            "phone_format",
            OptionKind.CHOICE,
            _("Number format"),
            _("Ask the provider which format it expects; its document does not say."),
            default="digits",
            choices=(
                ("digits", _("Digits with country code: 8613912345678")),
                ("plus", _("With a plus sign: +8613912345678")),
            ),
        ),
    )
    reports_delivery = True
    callback_methods = frozenset({"GET"})

    @classmethod
    def format_recipient(cls, recipient: str, options: Mapping[str, object]) -> str:
        digits = recipient.removeprefix("+")
        if not NUMBER.fullmatch(digits):
            raise CannotTake(BAD_NUMBER, provider=cls.name)
        return f"+{digits}" if options.get("phone_format") == "plus" else digits

    def start_code(self, request: ProviderCode) -> Submission:
        """Start a session. `eid` is required, although the document's example URL omits it."""
        if not REFERENCE.fullmatch(request.reference):
            raise CannotTake(BAD_REFERENCE, provider=self.name)
        query = {
            "msisdn": self.format_recipient(request.recipient, self.login.options),
            **self._login(),
            "eid": request.reference,
        }
        return self.transport.call(SEND, Request("GET", "/send", query=query), _submission)

    def check_code(self, request: CodeCheck) -> CheckResult:
        """Check a code. `sid` is "the msgid returned by the verification code request", even 0."""
        if not request.session_id:
            raise CannotTake(NO_SESSION, provider=self.name)
        if not request.code:
            raise CannotTake(NO_CODE)
        query = {"sid": request.session_id, "code": request.code, **self._login()}
        http_request = Request("GET", "/code", query=query, secrets=(request.code,))
        return self.transport.call(CHECK, http_request, lambda answer: _verdict(answer, request))

    def _login(self) -> dict[str, str]:
        return {
            "username": self.credential("username"),
            "password": self.credential("password"),
        }

    @classmethod
    def parse_callback(cls, request: CallbackRequest) -> tuple[Event, ...]:
        return parse_report(request)


def _submission(answer: Answer) -> Submission:
    body = _accepted(answer, is_send=True)
    # The document's sample of a success has "0". It is kept, because /code requires it.
    provider_id = id_of(body.get("MSGID"))
    return Submission(provider_id, _words(body), _no_id(provider_id))


def _verdict(answer: Answer, check: CodeCheck) -> CheckResult:
    """Parse the answer to a check.

    Only SUCCESS, 200 and PASS together verify a code, and only for the session that we asked for.
    """
    body = _accepted(answer, is_send=False)
    words = f"{_words(body)} {text_field(body, 'RESULT')}".strip()
    passed = look_up(PASSED, body.get("RESULT"))
    if passed is None:
        raise OutcomeUnknown(Reason.UNREADABLE, words=words, http_status=answer.status)
    if id_of(body.get("MSGID")) != check.session_id:
        raise_contradiction(answer, words)
    reference = word_of(stated_text(body.get("EXTID")))
    if check.reference and reference not in ("", word_of(check.reference)):
        raise_contradiction(answer, words)
    return CheckResult(passed, words, _no_id(check.session_id))


def _accepted(answer: Answer, *, is_send: bool) -> Mapping[str, Any]:
    """The body of an answer whose STATUS and CODE both say yes. Raises for any other.

    Answers to checks repeat the id of the code, which those to sends name only if they made one.
    """
    body = json_object_or_none(answer) or {}
    words = _words(body)
    # The document shows SUCCESS for answers; ERROR is in its callback tables.
    succeeded = verdict_of(body.get("STATUS"))
    code = word_of(body.get("CODE"))
    if succeeded is None or code not in {ACCEPTED, FAULT, *REFUSALS}:
        provider_id = id_of(body.get("MSGID")) if is_send else ""
        if not is_id(provider_id):
            _refuse(str(answer.status), answer, words)
        raise_undecided(answer, words, provider_id)
    passed = look_up(PASSED, body.get("RESULT"))
    if succeeded != (code == ACCEPTED) or (not succeeded and passed):
        raise_contradiction(answer, words)
    if not succeeded:
        _refuse(code, answer, words)
        raise OutcomeUnknown(Reason.PROVIDER_FAULT, words=words, http_status=answer.status)
    if not is_success(answer):
        raise_contradiction(answer, words)
    return body


def _refuse(code: str, answer: Answer, words: str) -> None:
    if code in REFUSALS:
        raise Refused(REFUSALS[code], words=words, http_status=answer.status)


def _words(body: Mapping[str, Any]) -> str:
    return " ".join(
        word for word in (text_field(body, key) for key in ("STATUS", "CODE", "MSG")) if word
    )


def _no_id(provider_id: str) -> tuple[str, ...]:
    return ("no_id",) if is_no_id(provider_id) else ()
