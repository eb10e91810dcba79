"""Example SMS, an invented provider: sends any text, reports its balance and delivery."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from providers.clients.parsing import (
    amount_of,
    id_of,
    is_success,
    option_lines,
    raise_contradiction,
    raise_undecided,
    text_field,
)
from providers.gateway.answers import json_object, json_object_or_none, raise_for_status
from providers.gateway.call import Answer, Effect, Operation, Request
from providers.gateway.client import (
    CannotTake,
    CredentialField,
    OptionField,
    OptionKind,
    ReceivesCallbacks,
    ReportsBalance,
    SendsText,
)
from providers.gateway.errors import Refused
from providers.gateway.events import CallbackRequest, DeliveryReported, Event, Unrecognised
from providers.gateway.i18n import gettext_noop as _
from providers.gateway.vocabulary import Balance, DeliveryState, Reason, Submission, TextMessage

SEND: Final = Operation(
    "send_text",
    Effect.PAID,
    hidden=frozenset({"text", "callback"}),
    masked=frozenset({"to"}),
)
BALANCE: Final = Operation("fetch_balance", Effect.READ)

REFUSALS: Final = {
    "bad_key": Reason.CREDENTIALS,
    "no_credit": Reason.NO_BALANCE,
    "bad_number": Reason.BAD_NUMBER,
}
"""Values of `error`. Any other word is a refusal as well, with no more meaning than the word."""
STATES: Final = {
    "sent": DeliveryState.IN_TRANSIT,
    "arrived": DeliveryState.DELIVERED,
    "lost": DeliveryState.UNDELIVERED,
}
"""Values of `status` in a report."""

NO_SENDER: Final = _("%(provider)s requires a sender ID for every message.")


class ExampleSms(SendsText, ReportsBalance, ReceivesCallbacks):
    key = "examplesms"
    name = "Example SMS"
    summary = _("Send any text")
    base_url_help = _("The address in the welcome e-mail, without a path.")
    credential_fields = (
        CredentialField("api_key", _("API key"), _("In the provider's console, under API."), "ex_"),
    )
    option_fields = (
        OptionField(
            "sender_ids", OptionKind.LINES, _("Sender IDs"), _("One per line."), required=True
        ),
    )
    reports_delivery = True
    callback_methods = frozenset({"POST"})

    @classmethod
    def sender_ids(cls, options: Mapping[str, object]) -> tuple[str, ...]:
        return option_lines(options.get("sender_ids"))

    def send_text(self, message: TextMessage) -> Submission:
        if not message.sender_id:
            raise CannotTake(NO_SENDER, provider=self.name)
        fields = {
            "to": self.format_recipient(message.recipient, self.login.options),
            "from": message.sender_id,
            "text": message.text,
            "ref": message.reference,
            "callback": message.callback_url,
        }
        # The text and our callback address are secrets of this call, hidden wherever they occur.
        secrets = tuple(filter(None, (message.text, message.callback_url, *message.secrets)))
        http_request = Request(
            "POST", "/v1/messages", json=fields, headers=self._authorization(), secrets=secrets
        )
        return self.transport.call(SEND, http_request, _submission)

    def fetch_balance(self) -> Balance:
        http_request = Request("GET", "/v1/balance", headers=self._authorization())
        return self.transport.call(BALANCE, http_request, _balance)

    def _authorization(self) -> Mapping[str, str]:
        return {"Authorization": f"Bearer {self.credential('api_key')}"}

    @classmethod
    def parse_callback(cls, request: CallbackRequest) -> tuple[Event, ...]:
        if not request.body.strip():
            return (Unrecognised("", "", "", problem="empty"),)
        report = json_object_or_none(Answer(200, {}, request.body))
        if report is None:
            return (Unrecognised("", "", "", problem="unreadable"),)
        reference, provider_id = id_of(report.get("ref")), id_of(report.get("id"))
        word = text_field(report, "status")
        state = STATES.get(word)
        if state is None or not (reference or provider_id):
            problem = "unknown_word" if word and state is None else "incomplete"
            return (Unrecognised(reference, provider_id, word, problem=problem),)
        return (DeliveryReported(reference, provider_id, word, state=state),)


def _submission(answer: Answer) -> Submission:
    """Parse the answer to a send. The body takes precedence over the HTTP status. If the two
    disagree, the outcome is unknown."""
    body = json_object_or_none(answer) or {}
    _raise_refusal(answer, text_field(body, "error"))
    provider_id, words = id_of(body.get("id")), text_field(body, "status")
    if not provider_id:
        raise_undecided(answer, words)
    if not is_success(answer):
        raise_contradiction(answer, words)
    return Submission(provider_id, words)


def _balance(answer: Answer) -> Balance:
    _raise_refusal(answer, text_field(json_object_or_none(answer), "error"))
    raise_for_status(answer)
    balance = amount_of(json_object(answer).get("balance"))
    if balance is None:
        raise_undecided(answer)
    return Balance(balance)


def _raise_refusal(answer: Answer, word: str) -> None:
    """Raise `Refused` for an error beside a 4xx, the only clear no. 429 asks us to slow down."""
    if word and 400 <= answer.status < 500 and answer.status not in (408, 429):
        reason = REFUSALS.get(word, Reason.OTHER_REFUSAL)
        raise Refused(reason, words=word, http_status=answer.status)
