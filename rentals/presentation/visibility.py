"""Who sees the number, the code and the text of an order. Everybody else sees dots.

Renting includes seeing what comes: whoever placed an order or holds it sees it whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import phonenumbers
from django.contrib.auth.models import AnonymousUser, User
from django.utils.safestring import SafeString
from django.utils.translation import ngettext

from core.fields import UnreadableSecret
from core.masking import masked_number
from core.phone import grouped, mask
from core.secrets import DOTS, Secret

from ..models import Order
from ..provider_fields import kept_beside
from ..states import OPEN, OrderState

HANDED_OVER: Final = OPEN | {OrderState.RECEIVED, OrderState.COMPLETED}


def may_see_whole(order: Order, user: User | AnonymousUser) -> bool:
    if user.pk is None or not user.has_perm("rentals.view_order"):
        return False
    return user.pk in (order.created_by_id, order.held_by_id)


def may_hand_over(order: Order, user: User | AnonymousUser) -> bool:
    """Whoever holds it may; else those who see it anyway. What has ended is left as it is."""
    if order.state not in HANDED_OVER or not user.has_perm("rentals.rent_order"):
        return False
    return user.pk == order.held_by_id or user.has_perm("rentals.reveal_order")


@dataclass(frozen=True, slots=True)
class Other:
    """What a later answer stated otherwise."""

    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """An order's number, code and text, as one person may see them."""

    whole: bool
    number: SafeString | str
    plain_number: str
    national: str
    code: str
    content: str
    has_sms: bool
    copy_number: str = ""
    copy_code: str = ""
    others: tuple[Other, ...] = ()
    """Codes and texts that differ from those that stand."""


def shown(order: Order, *, whole: bool) -> Shown:
    code, content = opened(order.code), opened(order.content)
    if not whole:
        return Shown(
            whole=False,
            number=masked_number(order.phone),
            plain_number=mask(order.phone) if order.phone else "",
            national="",
            code=DOTS if code else "",
            content=_length(content) if content else "",
            has_sms=bool(code or content),
        )
    national = national_of(order.phone)
    return Shown(
        whole=True,
        number=grouped(order.phone) if order.phone else "",
        plain_number=grouped(order.phone) if order.phone else "",
        national=national,
        code=code,
        content=content,
        has_sms=bool(code or content),
        copy_number=order.phone,
        copy_code=code,
        others=tuple(
            Other(one["value"], datetime.fromisoformat(one["at"])) for one in kept_beside(order)
        ),
    )


def opened(secret: Secret | str | None) -> str:
    """A code that no key opens is a code all the same: dots stand in its place."""
    if not secret:
        return ""
    try:
        return secret.reveal() if isinstance(secret, Secret) else secret
    except UnreadableSecret:
        return DOTS


def national_of(phone: str) -> str:
    """As it is dialled in its own country; empty where it is no number that is known."""
    try:
        number = phonenumbers.parse(phone, None)
    except phonenumbers.NumberParseException:
        return ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)


def _length(text: str) -> str:
    count = len(text)
    return ngettext("%(count)s character", "%(count)s characters", count) % {"count": count}


def display_name(order: Order, *, whole: bool) -> str:
    """For titles: the number, or what stands for it before there is one."""
    if order.phone:
        return shown(order, whole=whole).plain_number
    return str(order)
