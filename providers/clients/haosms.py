"""HaoSMS: sends a code of ours inside one of its own texts, and states a balance.

Its document names no status endpoint, no callback and no list of errors, so `submitted` is the
last state that we can know of a message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from core.phone import PhoneError, PhoneNumber, parse_number
from providers.gateway.answers import json_object, json_object_or_none
from providers.gateway.call import Answer, Effect, Operation, Request
from providers.gateway.client import (
    CannotTake,
    CodeTemplate,
    CredentialField,
    OptionField,
    OptionKind,
    ReportsBalance,
    SendsOwnCode,
)
from providers.gateway.errors import OutcomeUnknown, Refused
from providers.gateway.i18n import gettext_noop as _
from providers.gateway.vocabulary import Balance, OwnCode, Reason, Submission

from .parsing import (
    NO_IDS,
    amount_of,
    id_of,
    is_success,
    option_lines,
    raise_contradiction,
    raise_undecided,
    text_field,
)

SEND_PATH: Final = "/extra_api/otp_msg"
BALANCE_PATH: Final = "/user/s_balance"

SEND: Final = Operation(
    "send_code",
    Effect.PAID,
    hidden=frozenset({"api_key", "content"}),
    masked=frozenset({"phone"}),
)
BALANCE: Final = Operation("fetch_balance", Effect.READ, hidden=frozenset({"api_key"}))

SUCCEEDED: Final[Mapping[object, bool]] = {
    "成功": True,
    "True": True,
    "true": True,
    "失败": False,
    "False": False,
    "false": False,
}
"""Values of `result`. The document has 成功/失败 for sending and "True"/"False" for the balance;
"False" has been seen for sending too."""

CODE: Final = re.compile(r"[A-Za-z0-9]{1,6}")
"""Parameter `content`: "Can only contain numbers and English letters, maximum length 6"."""

CHINA_ONLY: Final = _("%(provider)s takes numbers of mainland China only, without +86.")
NO_CHANNEL: Final = _("This account has no channel “%(channel)s” for this number's country.")
BAD_CODE: Final = _("%(provider)s takes codes of 1 to 6 digits and English letters only.")
NO_TEMPLATE: Final = _("%(provider)s has no message text “%(template)s”.")

TEMPLATES: Final = (
    CodeTemplate(
        "2",
        "Verification code: XXXX, please enter and verify! Do not disclose the verification"
        " code to anyone.",
    ),
    CodeTemplate(
        "1",
        "Verification code: XXXX, you are modifying your profile and need verification!"
        " Do not disclose the verification code to anyone.",
    ),
    CodeTemplate(
        "3",
        "Verification code: XXXX, you are changing questions and answers and need"
        " verification! Do not disclose the verification code to anyone.",
    ),
    CodeTemplate(
        "4",
        "Verification code: XXXX, you are updating your password and need verification!"
        " Do not disclose the verification code to anyone.",
    ),
    CodeTemplate(
        "",
        "Verification code: XXXX, please enter and verify! Do not disclose the verification"
        " code to anyone. Note: The verification code is valid for 1 hour, and will expire"
        " after that.",
        _("This text promises 1 hour, whatever the validity of the code is here."),
    ),
)


class HaoSMS(SendsOwnCode, ReportsBalance):
    key = "haosms"
    name = "HaoSMS"
    summary = _("sends codes that the portal makes")
    default_base_url = "https://api.haosms.net"
    base_url_help = _("As in the provider's document; older accounts may have another host.")
    credential_fields = (
        CredentialField(
            "api_key",
            _("API key"),
            _("The api_key of your HaoSMS account; copy it from your HaoSMS console."),
        ),
    )
    option_fields = (
        OptionField(
            "channels",
            OptionKind.LINES,
            _("Channels for mainland China"),
            _(
                "One a line, exactly as HaoSMS gave it to you, Chinese characters included,"
                " for example 验证码通道1. The first one is the default."
            ),
        ),
        OptionField(
            "other_channels",
            OptionKind.LINES,
            _("Channels for other countries"),
            _(
                "One a line: the two-letter country code, one space, and the channel exactly"
                " as HaoSMS gave it to you. Leave it empty if you send to mainland China only."
            ),
        ),
        OptionField(
            "default_template",
            OptionKind.CHOICE,
            _("Usual message text"),
            _("What the form for sending a code proposes; the texts are HaoSMS's own."),
            default="2",
            choices=(
                ("2", _("2: no promise of a validity")),
                ("1", _("1: modifying a profile")),
                ("3", _("3: changing questions and answers")),
                ("4", _("4: updating a password")),
                ("", _("HaoSMS's default: promises 1 hour")),
            ),
        ),
        OptionField(
            "trailing_slash",
            OptionKind.FLAG,
            _("Slash at the end of the send address"),
            _(
                "HaoSMS writes its send address once with and once without a slash at the"
                " end. Switch this on only if the provider redirects the address without it."
            ),
            default=False,
        ),
    )
    templates = TEMPLATES
    default_template = "2"

    @classmethod
    def format_recipient(cls, recipient: str, options: Mapping[str, object]) -> str:
        """The national number: "Do not add 0086, +86 format not accepted".

        The document's examples have ten digits, one less than any mobile number in China.
        """
        number = cls._number(recipient)
        if number.country == "CN" or cls.channels(number.country, options):
            return number.significant
        raise CannotTake(CHINA_ONLY, provider=cls.name)

    @classmethod
    def channels(cls, country: str, options: Mapping[str, object]) -> tuple[str, ...]:
        if country == "CN":
            return option_lines(options.get("channels"))
        rows = (line.partition(" ") for line in option_lines(options.get("other_channels")))
        return tuple(channel for code, _space, channel in rows if channel and code == country)

    @classmethod
    def check_own_code(cls, code: str) -> None:
        if not CODE.fullmatch(code):
            raise CannotTake(BAD_CODE, provider=cls.name)

    def send_code(self, request: OwnCode) -> Submission:
        """Send the code by POST, so that the API key stays out of the URL."""
        options = self.login.options
        phone = self.format_recipient(request.recipient, options)
        self.check_own_code(request.code)
        # The channel determines the country, and the number has no country code. A channel of
        # another country would send the code to a stranger.
        if request.channel not in self.channels(self._number(request.recipient).country, options):
            raise CannotTake(NO_CHANNEL, channel=request.channel)
        if request.template not in {template.key for template in self.templates}:
            raise CannotTake(NO_TEMPLATE, provider=self.name, template=request.template)
        form = {
            "api_key": self.credential("api_key"),
            "phone": phone,
            "content": request.code,
            "platform": request.channel,
        }
        if request.template:
            form["tmp_id"] = request.template
        path = f"{SEND_PATH}/" if options.get("trailing_slash") is True else SEND_PATH
        http_request = Request("POST", path, form=form, secrets=(request.code,))
        return self.transport.call(SEND, http_request, _submission)

    def fetch_balance(self) -> Balance:
        http_request = Request("POST", BALANCE_PATH, form={"api_key": self.credential("api_key")})
        return self.transport.call(BALANCE, http_request, _balance)

    @classmethod
    def _number(cls, recipient: str) -> PhoneNumber:
        try:
            return parse_number(recipient)
        except PhoneError:
            raise CannotTake(CHINA_ONLY, provider=cls.name) from None


def _submission(answer: Answer) -> Submission:
    _require_success(answer)
    body = json_object(answer)
    # `msg` is the task id on success and the error text on failure.
    provider_id = id_of(body.get("msg"))
    if provider_id in NO_IDS:
        return Submission("", text_field(body, "result"), ("no_id",))
    return Submission(provider_id, text_field(body, "result"))


def _balance(answer: Answer) -> Balance:
    _require_success(answer)
    data = json_object(answer).get("data")
    balance = amount_of(data.get("balance")) if isinstance(data, dict) else None
    if balance is None:
        raise OutcomeUnknown(Reason.UNREADABLE, http_status=answer.status)
    return Balance(balance)


def _require_success(answer: Answer) -> None:
    body = json_object_or_none(answer)
    words = text_field(body, "msg") or text_field(body, "result")
    verdict = _verdict(body.get("result")) if body is not None else None
    if verdict is None:
        raise_undecided(answer, words)
    if verdict and not is_success(answer):
        raise_contradiction(answer, words)
    if not verdict:
        _refuse(answer, words)


def _verdict(result: object) -> bool | None:
    if isinstance(result, bool):
        return result
    return SUCCEEDED.get(result) if isinstance(result, str) else None


def _refuse(answer: Answer, words: str) -> None:
    """Raise the error for a refusal. The document has no error codes, so `msg` is shown and never
    matched."""
    if answer.status == 429:
        raise_undecided(answer, words)
    raise Refused(Reason.OTHER_REFUSAL, words=words, http_status=answer.status)
