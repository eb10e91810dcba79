"""Who sees the number, the code and the text of an order; all others see dots."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import phonenumbers
from django.contrib.auth.models import AnonymousUser, User
from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from core.fields import UnreadableSecret
from core.masking import masked_number, plain_number
from core.phones.erased import is_erased
from core.phones.parse import grouped, mask, search_key
from core.secrets import DOTS, Secret
from core.visibility import Permissions, may_reveal
from core.visibility import register as register_rule

from ..models import Order
from ..provider_fields import conflicting_texts
from ..states import OPEN, OrderState

HAND_OVER_STATES: Final = OPEN | {OrderState.RECEIVED, OrderState.COMPLETED}


def register() -> None:
    register_rule(Order, Permissions("rentals.view_order", "rentals.reveal_order"), _renters_of)


def _renters_of(order: Order) -> frozenset[int | None]:
    """Renting includes seeing what arrives: for the person who placed it, and for its holder."""
    return frozenset({order.created_by_id, order.held_by_id})


def may_hand_over(order: Order, user: User | AnonymousUser) -> bool:
    """The holder may, and staff who can reveal orders. Ended orders are not reassigned."""
    if order.state not in HAND_OVER_STATES or not user.has_perm("rentals.rent_order"):
        return False
    return user.pk == order.held_by_id or may_reveal(Order, user)


@dataclass(frozen=True, slots=True)
class DifferingText:
    """A code or text of a later answer that differs from the first."""

    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """An order's number, code and text, as one reader may see them."""

    unmasked: bool
    number: SafeString | str
    plain_number: str
    national: str
    code: str
    content: str
    has_sms: bool
    copy_number: str = ""
    copy_code: str = ""
    differing_texts: tuple[DifferingText, ...] = ()
    """Codes and texts that differ from the first ones."""


def shown(order: Order, *, unmasked: bool) -> Shown:
    code, content = decrypted(order.code), decrypted(order.content)
    masked = mask(order.phone, order.region) if order.phone else ""
    if is_erased(order.phone):
        text = plain_number(order.phone, whole=False)
        return Shown(unmasked, masked_number(order.phone), text, "", "", "", has_sms=False)
    if not unmasked:
        return Shown(
            unmasked=False,
            number=masked_number(masked),
            plain_number=masked,
            national="",
            code=DOTS if code else "",
            content=_length(content) if content else "",
            has_sms=bool(code or content),
        )
    number = grouped(order.phone, order.region) if order.phone else ""
    return Shown(
        unmasked=True,
        number=number,
        plain_number=number,
        national=national_format(whole_number(order)),
        code=code,
        content=content,
        has_sms=bool(code or content),
        copy_number=whole_number(order),
        copy_code=code,
        differing_texts=tuple(
            DifferingText(one["value"], datetime.fromisoformat(one["at"]))
            for one in conflicting_texts(order)
        ),
    )


def whole_number(order: Order) -> str:
    """The number in E.164, by the region of its order; as the provider wrote it if unreadable."""
    return search_key(order.phone, order.region.upper()) or order.phone


def decrypted(secret: Secret | str | None) -> str:
    """The plain value; dots if no key decrypts it, since there is a code nonetheless."""
    if not secret:
        return ""
    try:
        return secret.reveal() if isinstance(secret, Secret) else secret
    except UnreadableSecret:
        return DOTS


def national_format(phone: str) -> str:
    """The national format; empty if the number cannot be parsed."""
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)


def _length(text: str) -> str:
    count = len(text)
    return ngettext("%(count)s character", "%(count)s characters", count) % {"count": count}


def display_name(order: Order, *, unmasked: bool) -> str:
    """For titles: the number, or the order's name before it has one."""
    if order.phone:
        return shown(order, unmasked=unmasked).plain_number
    return str(order)
