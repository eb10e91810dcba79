"""HAORUI: sends any text and pushes delivery reports to our callback address.

A success means "accepted for processing", never "delivered".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from providers.gateway.answers import json_object_or_none
from providers.gateway.call import Answer, Effect, Operation, Request
from providers.gateway.client import (
    CannotTake,
    CredentialField,
    OptionField,
    OptionKind,
    Pace,
    ReceivesCallbacks,
    SendsText,
)
from providers.gateway.errors import Refused
from providers.gateway.events import CallbackRequest, Event
from providers.gateway.i18n import gettext_noop as _
from providers.gateway.vocabulary import Encoding, Reason, SmsKind, Submission, TextMessage
from providers.gateway.words import is_id, is_no_id, verdict_of, word_of

from .delivery_reports import parse_reports
from .parsing import (
    id_of,
    is_success,
    option_lines,
    raise_contradiction,
    raise_undecided,
    stated_text,
    text_field,
)

SEND: Final = Operation(
    "send_text",
    Effect.PAID,
    hidden=frozenset({"api_id", "api_password", "textmessage", "callback_url"}),
    masked=frozenset({"phonenumber"}),
)

ENCODINGS: Final = {Encoding.GSM7: "T", Encoding.UCS2: "U"}
"""Values of `encoding`. T means Latin text here, but a transactional message in `sms_type`."""

SEND_PATH: Final = "/api/SendSMS"
NUMBER: Final = re.compile(r"[1-9][0-9]{6,14}")
"""Country code and number. On this platform a comma-separated list would be a bulk send."""
REFERENCE: Final = re.compile(r"[A-Za-z0-9._~-]{1,32}")
SHORTEST_TOKEN: Final = 16

BAD_NUMBER: Final = _("%(provider)s accepts one number with its country code, digits only.")
NO_TEXT: Final = _("The message has no text.")
NO_SENDER: Final = _("%(provider)s requires a sender ID for every message.")
BAD_REFERENCE: Final = _("%(provider)s does not accept the portal's ID for this message.")


class Haorui(SendsText, ReceivesCallbacks):
    key = "haorui"
    name = "HAORUI"
    summary = _("Send any text")
    base_url_help = _(
        "The address HAORUI gave you with your API login, for example"
        " https://api.example.com. A path such as /api/SendSMS is removed. There is no default, so"
        " that your password is not sent to the wrong host."
    )
    documented_paths = (SEND_PATH, "/api")
    credential_fields = (
        CredentialField(
            "api_id",
            _("API ID"),
            _("In your account opening e-mail or the provider's console."),
            prefix="API",
        ),
        CredentialField(
            "api_password",
            _("API password"),
            _("Next to the API ID, in the same e-mail or the provider's console."),
        ),
    )
    option_fields = (
        OptionField(
            "sender_ids",
            OptionKind.LINES,
            _("Sender IDs"),
            _("One per line, exactly as registered with HAORUI. The first one is the default."),
            required=True,
        ),
        OptionField(
            "kind",
            OptionKind.CHOICE,
            _("Default message type"),
            _("As your HAORUI contract allows; individual messages can use the other type."),
            default="T",
            choices=(("T", _("T: transactional")), ("P", _("P: marketing"))),
        ),
    )
    # The platform has answered parallel calls with a misleading "IP not Whitelisted".
    pace = Pace(per_second=5, per_minute=300, in_flight=1)
    reports_delivery = True
    callback_methods = frozenset({"POST", "GET"})

    @classmethod
    def format_recipient(cls, recipient: str, options: Mapping[str, object]) -> str:
        """Digits with the country code, like the document's example 8613912345678."""
        digits = recipient.removeprefix("+")
        if not NUMBER.fullmatch(digits):
            raise CannotTake(BAD_NUMBER, provider=cls.name)
        return digits

    @classmethod
    def sender_ids(cls, options: Mapping[str, object]) -> tuple[str, ...]:
        return option_lines(options.get("sender_ids"))

    def send_text(self, message: TextMessage) -> Submission:
        self._check(message)
        fields = {
            "api_id": self.credential("api_id"),
            "api_password": self.credential("api_password"),
            "sms_type": SmsKind(message.kind).value,
            "encoding": ENCODINGS[message.encoding],
            "sender_id": message.sender_id,
            "phonenumber": self.format_recipient(message.recipient, self.login.options),
            "textmessage": message.text,
            "uid": message.reference,
        }
        if message.callback_url:
            fields["callback_url"] = message.callback_url
        secrets = (message.text, *message.secrets, *_tokens_of(message.callback_url))
        http_request = Request("POST", self._path(), json=fields, secrets=secrets)
        return self.transport.call(
            SEND, http_request, lambda answer: _submission(answer, message.reference)
        )

    def _path(self) -> str:
        """The document writes the address with /api, and accounts may have been saved so."""
        has_api = self.login.base_url.rstrip("/").lower().endswith("/api")
        return SEND_PATH.removeprefix("/api") if has_api else SEND_PATH

    def _check(self, message: TextMessage) -> None:
        if not message.text:
            raise CannotTake(NO_TEXT)
        if not message.sender_id:
            raise CannotTake(NO_SENDER, provider=self.name)
        if not REFERENCE.fullmatch(message.reference):
            raise CannotTake(BAD_REFERENCE, provider=self.name)

    @classmethod
    def parse_callback(cls, request: CallbackRequest) -> tuple[Event, ...]:
        return parse_reports(request)


def _tokens_of(callback_url: str) -> tuple[str, ...]:
    """The URL itself and the parts of its path that are long enough to be its token."""
    if not callback_url:
        return ()
    parts = callback_url.split("/")[3:]
    return (callback_url, *(part for part in parts if len(part) >= SHORTEST_TOKEN))


def _submission(answer: Answer, reference: str) -> Submission:
    """Parse the answer to a send. The body takes precedence over the HTTP status, which the
    document does not state for F."""
    body = json_object_or_none(answer) or {}
    remarks = text_field(body, "remarks")
    provider_id = id_of(body.get("message_id"))
    # S or F: submission succeeded, submission failed.
    verdict = verdict_of(body.get("status"))
    if verdict is None:
        _refuse_missing(answer, text_field(body, "ReasonPhrase"))
        words = remarks or text_field(body, "status") or text_field(body, "ReasonPhrase")
        raise_undecided(answer, words, provider_id)
    if not verdict:
        if answer.status == 429:
            raise_undecided(answer, remarks, provider_id)
        raise Refused(Reason.OTHER_REFUSAL, words=remarks, http_status=answer.status)
    if not is_success(answer):
        raise_contradiction(answer, remarks)
    warnings = []
    if not is_id(provider_id):
        if not is_no_id(provider_id):
            remarks = f"{remarks} {provider_id}".strip()
        provider_id = ""
        warnings.append("no_id")
    uid = stated_text(body.get("uid"))
    if word_of(uid) not in ("", word_of(reference)):
        # Another message's uid. We keep the one that we sent.
        warnings.append("other_reference")
    return Submission(provider_id, remarks, tuple(warnings))


def _refuse_missing(answer: Answer, phrase: str) -> None:
    """Raise `Refused` for missing parameters.

    The platform reports them as HTTP 404 with {"StatusCode":404,"ReasonPhrase":…}, although the
    address is correct.
    """
    if answer.status == 404 and phrase:
        raise Refused(Reason.PARAMETERS, words=phrase, http_status=answer.status)
