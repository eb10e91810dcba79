"""Contexts of an order's page and its live part, and computed columns of the list."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from core.admin.live import poll_interval
from core.admin.protocols import ModelPages
from core.admin.reasons import REVEAL_REASONS, Presets
from core.countries import country_name
from core.people import person_name
from core.presence import present
from core.stored_texts import declare
from core.visibility import may_reveal, may_see_whole
from providers import clock
from providers.engine.leases import is_engine_alive
from providers.error_texts import own_words

from .. import cancel_requests, reconciliation
from ..catalogue import project_names
from ..models import Order
from ..presentation.explanations import explanation_of, title_of
from ..presentation.labels import shown_state
from ..presentation.next_steps import next_steps
from ..presentation.timeline import timeline
from ..presentation.visibility import may_hand_over, shown
from ..same_number import others_with_number
from ..states import OPEN as WAITING
from ..states import OrderState

S = OrderState
MODEL_BACKEND = "django.contrib.auth.backends.ModelBackend"
REFUND_WATCH = timedelta(minutes=2)
"""How long the page of a cancelled order keeps checking for the refund."""
ACTIONS = ("cancel", "settle", "reveal", "hide", "hand")
SETTLE_REASONS: Final[Presets] = {
    "console": declare("order_outcome.console", _("Verified in the provider's console")),
    "nothing": declare("order_outcome.nothing", _("Not found in the provider's list")),
}


def live_context(admin: ModelPages, request: HttpRequest, order: Order) -> dict[str, Any]:
    user = request.user
    unmasked = may_see_whole(order, user)
    return {
        "shown_state": shown_state(order),
        "explanation": explanation_of(order, user),
        "next_steps": next_steps(order, user),
        "shown": shown(order, unmasked=unmasked),
        "unmasked": unmasked,
        "app": project_names(order.account.provider).get(order.project, order.project),
        "country": country_name(order.region),
        "holder": person_name(order.held_by),
        "left": seconds_left(order),
        "lines": timeline(
            order,
            with_calls=user.has_perm("providers.view_apicall"),
            with_money=user.has_perm("rentals.view_transaction"),
        ),
        "own_words": own_words(order.reason, order.words),
        "poll_every": _poll_every(order),
        "waits": order.state in WAITING,
        "approval": order.approval if order.state == S.AWAITING_APPROVAL else None,
        "asked_at": _last_polled_at(order),
        "asleep": order.state == S.QUEUED and not is_engine_alive(),
        "zone": timezone.get_current_timezone_name(),
        "live_url": admin.object_url(order, "live"),
        "may": _allowed_actions(order, user),
        "urls": {name: admin.object_url(order, name) for name in ACTIONS},
        "candidates": _candidates(order, user),
        "same_number": others_with_number(order),
        "may_cancel": user.has_perm("rentals.cancel_order"),
        "may_rent": user.has_perm("rentals.rent_order"),
        "may_settle": user.has_perm("rentals.resolve_order"),
        "reveal_reasons": list(REVEAL_REASONS.items()),
        "settle_reasons": list(SETTLE_REASONS.items()),
    }


def page_context(admin: ModelPages, request: HttpRequest, order: Order) -> dict[str, Any]:
    """Context of the whole page: the live part, and the colleagues to reassign it to."""
    context = live_context(admin, request, order)
    others = colleagues().exclude(pk=order.held_by_id or 0) if context["may"]["hand"] else ()
    here = present([one.pk for one in others])
    named = [(one.pk, person_name(one), one.pk in here) for one in others]
    return {**context, "colleagues": sorted(named, key=lambda one: (not one[2], one[1].casefold()))}


def colleagues() -> QuerySet[User]:
    """Staff who may hold an order."""
    able = User.objects.with_perm("rentals.rent_order", backend=MODEL_BACKEND)
    return able.filter(is_active=True, is_staff=True).order_by("username")


def seconds_left(order: Order) -> int | None:
    if order.state != S.PENDING or order.expires_at is None:
        return None
    return max(0, round((order.expires_at - clock.now()).total_seconds()))


def _last_polled_at(order: Order) -> Any:
    if order.state != S.PENDING:
        return None
    watch = getattr(order.account, "watch", None)
    times = [order.polled_at, watch.round_at if watch and watch.by_list else None]
    return max(filter(None, times), default=None)


def _poll_every(order: Order) -> int | None:
    """Seconds until the page polls again; None once nothing more can change."""
    now = clock.now()
    if order.state == S.CANCELLED and order.provider_id and order.ended_at:
        return 5 if now - order.ended_at < REFUND_WATCH else None
    waits_for_text = order.state == S.RECEIVED and not order.content and order.next_poll_at
    if order.state not in WAITING and not waits_for_text:
        return None
    return poll_interval(order.created_at)


def _candidates(order: Order, user: User | AnonymousUser) -> list[dict[str, Any]]:
    """Found orders that may be this order."""
    answered = order.state in (S.UNKNOWN, S.NOT_CREATED) and order.answered_at is not None
    if not answered and order.state != S.HELD:
        return []
    if not user.has_perm("rentals.resolve_order"):
        return []
    return [
        {"found": one, "number": shown(_as_order(one), unmasked=False).number}
        for one in reconciliation.candidates(order)[:10]
    ]


def _as_order(found: Any) -> Order:
    return Order(phone=found.phone, region=found.region)


def _allowed_actions(order: Order, user: User | AnonymousUser) -> dict[str, bool]:
    """Actions that this person may take on this order now."""
    can = user.has_perm
    pending = order.state == S.PENDING and not cancel_requests.is_being_cancelled(order)
    return {
        "reveal": may_reveal(Order, user) and bool(order.phone),
        "cancel": can("rentals.cancel_order") and (pending or order.state == S.QUEUED),
        "cancel_and_rent": can("rentals.cancel_order") and can("rentals.rent_order") and pending,
        "settle": order.state == S.UNKNOWN and can("rentals.resolve_order"),
        "rent": can("rentals.rent_order"),
        "hand": may_hand_over(order, user),
    }


Column = Callable[[Order], SafeString | str]


def number_column(reader: User | AnonymousUser) -> Column:
    """The list's column of numbers and codes, as this reader may see them."""

    def number(order: Order) -> SafeString:
        visible = shown(order, unmasked=may_see_whole(order, reader))
        line = visible.code or (
            title_of(order) if order.state in (S.REFUSED, S.NOT_CREATED) else ""
        )
        number_text = visible.number or order.provider_id or "–"
        return format_html(
            '<span class="number" dir="ltr">{}</span> <bdi class="one-line" dir="auto">{}</bdi>',
            number_text,
            line,
        )

    number.short_description = _("Number / code")  # type: ignore[attr-defined]
    return number


def app_column(names: dict[str, str]) -> Column:
    def app(order: Order) -> str:
        return f"{names.get(order.project, order.project)} · {country_name(order.region)}"

    app.short_description = _("App · country")  # type: ignore[attr-defined]
    app.admin_order_field = "project"  # type: ignore[attr-defined]
    return app
