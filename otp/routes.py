"""Routes: how a code travels over one account, who makes it, and the text around it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext as _

from core.phones.parse import PhoneNumber
from core.secrets import DOTS
from messaging.models import Message
from messaging.queue_message import Draft, text_around_code
from providers.gateway.client import MakesCodes, SendsOwnCode, SendsText
from providers.gateway.vocabulary import SmsKind
from providers.models import Account

CODE_PLACEHOLDER: Final = "XXXX"
"""Placeholder for the code in a text, as in the providers' documents."""
TEXTS: Final = {
    "en": f"Your verification code is {CODE_PLACEHOLDER}. Do not share it with anyone.",
    "zh": f"您的验证码是 {CODE_PLACEHOLDER}，请勿告知他人。",
}
"""Texts for providers that send free text. Not translated, because they are written in the
recipient's language, not the user's."""


def default_text() -> str:
    """Key of the proposed text: the one in the user's own language."""
    return "zh" if (get_language() or "").startswith("zh") else "en"


LONGEST_PROVIDER_CODE: Final = 6


@dataclass(frozen=True, slots=True)
class Route:
    """The way of a code over one account. `text` has dots in place of the code."""

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
    """Why no code can be sent over this account now; empty if one can."""
    if not sends_codes(account):
        return _("cannot send codes")
    if not account.allowed_countries:
        return _("no allowed countries/regions")
    if country and country not in account.allowed_countries:
        return _("country/region not allowed")
    if account.is_paused:
        return pgettext("state", "paused")
    if country and _needs_channel(account) and not channels_to(account, country):
        return _("no channel for this country/region")
    return ""


def _needs_channel(account: Account) -> bool:
    client = account.client
    return client is not None and issubclass(client, SendsOwnCode)


def default_route(account: Account, country: str, text: str, template: str = "") -> Route:
    """The route that the account's settings propose.

    `template` is one that was chosen for another account. It is kept if this account knows it.
    """
    client = account.client
    options = account.options
    if client is None:
        return Route(account)
    if issubclass(client, SendsText):
        return Route(account, sender_id=next(iter(client.sender_ids(options)), ""), text=text)
    if issubclass(client, SendsOwnCode):
        channel = next(iter(client.channels(country, options)), "")
        known = {one.key for one in client.templates}
        default = str(options.get("default_template", client.default_template))
        chosen = template if template and template in known else default
        return Route(account, channel=channel, template=chosen)
    return Route(account)


def channels_to(account: Account, country: str) -> list[str]:
    """The account's channels to this country; empty if it has none or uses no channels."""
    client = account.client
    if client is None or not issubclass(client, SendsOwnCode):
        return []
    return list(client.channels(country, account.options))


def route_for_resend(message: Message, account: Account, text: str, channel: str = "") -> Route:
    """The route for a new code that replaces the one in `message`.

    The same account repeats its route, another account uses its default one. `channel` is applied
    if it leads to the country.
    """
    if account.pk == message.account_id:
        route = route_of(message)
    else:
        route = default_route(account, message.country, text, message.template)
    if channel in channels_to(account, message.country):
        route = replace(route, channel=channel)
    return route


def route_of(message: Message) -> Route:
    """The route that a message used."""
    return Route(
        message.account,
        channel=message.channel,
        template=message.template,
        sender_id=message.sender_id,
        text=message.text,
    )


def preview_text(route: Route) -> str:
    """The text of the SMS, with dots for the code; empty if the provider writes it."""
    return route.text or text_around_code(route.account, route.template)


def with_dots(text: str) -> str:
    return text.replace(CODE_PLACEHOLDER, DOTS, 1)
