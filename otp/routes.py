"""How a code goes out over one account: whose code it is, and the words around it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from core.phone import PhoneNumber
from core.secrets import DOTS
from messaging.models import Message
from messaging.queue_message import Draft, text_around_code
from providers.gateway.client import MakesCodes, SendsOwnCode, SendsText
from providers.gateway.vocabulary import SmsKind
from providers.models import Account

CODE_PLACEHOLDER: Final = "XXXX"
"""Where the code stands in a text, as in the providers' own documents."""
TEXTS: Final = {
    "en": f"Your verification code is {CODE_PLACEHOLDER}. Do not share it with anyone.",
    "zh": f"您的验证码是 {CODE_PLACEHOLDER}，请勿告知他人。",
}
"""Texts for providers that send any text of ours. In the recipient's language, so they are
not translated."""


def default_text() -> str:
    """The key of the text that is proposed: in the language that staff speak."""
    return "zh" if (get_language() or "").startswith("zh") else "en"


LONGEST_PROVIDER_CODE: Final = 6


@dataclass(frozen=True, slots=True)
class Route:
    """`text` has dots where the code stands."""

    account: Account
    channel: str = ""
    template: str = ""
    sender_id: str = ""
    text: str = ""

    @property
    def provider_makes_code(self) -> bool:
        client = self.account.client
        return client is not None and issubclass(client, MakesCodes)

    def code_length(self, wanted: int) -> int:
        client = self.account.client
        if client is not None and issubclass(client, SendsOwnCode):
            return min(wanted, LONGEST_PROVIDER_CODE)
        return wanted

    def draft(self, recipient: PhoneNumber, code: str, belongs_to: str) -> Draft:
        sends_text = sends_free_text(self.account)
        kind = Message.Kind.PROVIDER_CODE if self.provider_makes_code else Message.Kind.OWN_CODE
        return Draft(
            account=self.account,
            recipient=recipient,
            kind=kind,
            text=self.text if sends_text else "",
            code=code,
            channel=self.channel,
            template=self.template,
            sms_kind=SmsKind.TRANSACTIONAL if sends_text else "",
            sender_id=self.sender_id,
            belongs_to=belongs_to,
        )


def sends_codes(account: Account) -> bool:
    client = account.client
    return client is not None and issubclass(client, SendsText | SendsOwnCode | MakesCodes)


def sends_free_text(account: Account) -> bool:
    client = account.client
    return client is not None and issubclass(client, SendsText)


def unavailable_reason(account: Account, country: str = "") -> str:
    """Why no code can go out over this account now; empty where one can."""
    if not sends_codes(account):
        return _("sends no codes")
    if not account.allowed_countries:
        return _("no country is allowed")
    if country and country not in account.allowed_countries:
        return _("this country is not allowed")
    if account.is_paused:
        return _("paused")
    if country and _needs_channel(account) and not channels_to(account, country):
        return _("no channel leads to this country")
    return ""


def _needs_channel(account: Account) -> bool:
    client = account.client
    return client is not None and issubclass(client, SendsOwnCode)


def default_route(account: Account, country: str, text: str, template: str = "") -> Route:
    """What the account's own settings propose, where nobody chose for it. A template that
    somebody chose for another account of the same kind is kept."""
    client = account.client
    options = account.options
    if client is None:
        return Route(account)
    if issubclass(client, SendsText):
        return Route(account, sender_id=next(iter(client.sender_ids(options)), ""), text=text)
    if issubclass(client, SendsOwnCode):
        channel = next(iter(client.channels(country, options)), "")
        known = {one.key for one in client.templates}
        usual = str(options.get("default_template", client.default_template))
        kept = template if template and template in known else usual
        return Route(account, channel=channel, template=kept)
    return Route(account)


def channels_to(account: Account, country: str) -> list[str]:
    """The channels of this account that lead to the country; none where it has no channels."""
    client = account.client
    if client is None or not issubclass(client, SendsOwnCode):
        return []
    return list(client.channels(country, account.options))


def route_for_resend(message: Message, account: Account, text: str, channel: str = "") -> Route:
    """The way of a code that takes the place of the one in `message`: the same again where
    the account is the same, else what is usual for the other one; `channel` where one is
    chosen that leads to the country."""
    if account.pk == message.account_id:
        route = route_of(message)
    else:
        route = default_route(account, message.country, text, message.template)
    if channel in channels_to(account, message.country):
        route = replace(route, channel=channel)
    return route


def route_of(message: Message) -> Route:
    """The way that a message went."""
    return Route(
        message.account,
        channel=message.channel,
        template=message.template,
        sender_id=message.sender_id,
        text=message.text,
    )


def preview_text(route: Route) -> str:
    """What the SMS will say, with dots for the code; empty where the provider writes it."""
    return route.text or text_around_code(route.account, route.template)


def with_dots(text: str) -> str:
    return text.replace(CODE_PLACEHOLDER, DOTS, 1)
