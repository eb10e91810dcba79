"""The board of open orders: the page sends all rows, updates send changed rows only."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from core.admin.exact_search import keys_of
from core.admin.pages import Page, fragment
from core.countries import country_name
from core.people import person_name
from core.visibility import may_see_whole
from providers import clock
from providers.models import Account, ApiCall

from ..apply_order_state import WITH_SMS
from ..models import Cancel, Order, Project
from ..presentation.labels import shown_state
from ..presentation.visibility import shown
from ..same_number import RunningNumbers
from ..states import CANCEL_OPEN, OPEN, CancelState, OrderState
from .order_page import seconds_left

S = OrderState

KEEP_RECEIVED_FOR: Final = timedelta(minutes=10)
"""How long an order with an SMS stays on the board, unless staff hide it."""
OVERLAP: Final = timedelta(seconds=10)
"""A row may be committed slightly later than its `changed_at`."""
MAX_ROWS: Final = 1_000
MINE, TEAM = "mine", "team"
SESSION_KEY: Final = "board_scope"


def rows_of(request: HttpRequest, scope: str) -> QuerySet[Order]:
    since = clock.now() - KEEP_RECEIVED_FOR
    # Two questions, since each has an index and both at once none. With the states in the second
    # one, SQLite would read all orders that ever had an SMS.
    keys = keys_of(
        Order.objects.filter(state__in=sorted(OPEN)),
        Order.objects.filter(sms_at__gt=since, hidden_at=None),
    )
    rows = Order.objects.filter(pk__in=keys, state__in=sorted(OPEN | frozenset(WITH_SMS)))
    return _in_scope(rows, request, scope).order_by(F("expires_at").asc(nulls_first=True), "pk")


def _in_scope(rows: QuerySet[Order], request: HttpRequest, scope: str) -> QuerySet[Order]:
    if scope == MINE:
        rows = rows.filter(Q(held_by=request.user.pk) | Q(created_by=request.user.pk))
    undecided = Cancel.objects.filter(
        order=OuterRef("pk"), state__in=(*CANCEL_OPEN, CancelState.UNCLEAR)
    )
    names = Project.objects.filter(provider=OuterRef("account__provider"), code=OuterRef("project"))
    return rows.select_related("account", "held_by").annotate(
        is_ending=Exists(undecided), app_name=Subquery(names.values("name")[:1])
    )


class BoardPage(Page, TemplateView):
    title = _("Open orders")
    permission_required = "rentals.view_order"
    template_name = "rentals/board.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        request = self.request
        scope = self._scope()
        now = clock.now()
        orders = list(rows_of(request, scope)[:MAX_ROWS])
        running = RunningNumbers(orders)
        return {
            **context,
            "scope": scope,
            "rows": [row_of(order, request, running) for order in orders],
            "since": now.isoformat(),
            "may_rent": request.user.has_perm("rentals.rent_order"),
            "may_cancel": request.user.has_perm("rentals.cancel_order"),
        }

    def _scope(self) -> str:
        scope = self.request.GET.get("scope", "")
        if scope in (MINE, TEAM):
            self.request.session[SESSION_KEY] = scope
            return scope
        remembered: str = self.request.session.get(SESSION_KEY, TEAM)
        return remembered


def row_of(order: Any, request: HttpRequest, running: RunningNumbers) -> dict[str, Any]:
    """The context of one row. `order` comes from `rows_of`, with its annotations."""
    unmasked = may_see_whole(order, request.user)
    pending = order.state == S.PENDING and not order.is_ending
    mine = request.user.pk == order.held_by_id
    return {
        "order": order,
        "shown": shown(order, unmasked=unmasked),
        "state": shown_state(order),
        "cancelling": order.state == S.PENDING and not pending,
        "left": seconds_left(order),
        "same_number": running.others(order),
        "app": order.app_name or order.project,
        "country": country_name(order.region),
        "holder": pgettext("person", "me") if mine else person_name(order.held_by),
        "may_cancel": request.user.has_perm("rentals.cancel_order")
        and (pending or order.state == S.QUEUED),
        "may_hide": unmasked and order.state in WITH_SMS,
    }


def calls_a_minute(now: datetime) -> str:
    """How much of its rate limit each account with open orders used in the last minute."""
    open_ones = Order.objects.filter(state__in=OPEN).order_by()
    accounts = Account.objects.filter(pk__in=open_ones.values("account"))
    recent = ApiCall.objects.filter(
        account=OuterRef("pk"), started_at__gt=now - timedelta(minutes=1)
    )
    used = recent.order_by().values("account").annotate(count=Count("pk")).values("count")
    lines = [
        gettext("%(account)s: %(used)s of %(most)s calls in the last minute")
        % {"account": account.name, "used": account.used or 0, "most": account.per_minute}
        for account in accounts.annotate(used=Subquery(used))
    ]
    return " · ".join(lines)


@fragment("rentals.view_order")
def changes(request: HttpRequest) -> HttpResponse:
    """The rows that changed since the page's last request, and the ids of new or open ones."""
    since = _since(request)
    now = clock.now()
    scope = MINE if request.GET.get("scope") == MINE else TEAM
    # In the order of their keys, SQLite would read all orders.
    changed = Order.objects.filter(
        pk__in=keys_of(Order.objects.filter(changed_at__gt=since - OVERLAP))
    )
    rows = list(_in_scope(changed, request, scope).order_by("pk")[:MAX_ROWS])
    running = RunningNumbers(rows)
    if rows:
        # A row also says whether another order has its number.
        shared = {one.pk for order in rows for one in running.with_number_of(order)}
        others = Order.objects.filter(pk__in=shared - {order.pk for order in rows})
        rows += _in_scope(others, request, scope)[:MAX_ROWS]
    rendered = {order.public_id: _rendered(order, request, running) for order in rows}
    fresh = [order.public_id for order in rows if order.created_at > since or order.state in OPEN]
    return JsonResponse(
        {"since": now.isoformat(), "rows": rendered, "open": fresh, "pace": calls_a_minute(now)}
    )


def _since(request: HttpRequest) -> datetime:
    """The time of the page's last request; a minute ago if it is missing or invalid."""
    earliest = clock.now() - timedelta(minutes=1)
    try:
        since = parse_datetime(request.GET.get("since", "").replace(" ", "+"))
    except ValueError:
        since = None
    if since is None or timezone.is_naive(since):
        return earliest
    return since


def _rendered(order: Order, request: HttpRequest, running: RunningNumbers) -> dict[str, Any]:
    row = row_of(order, request, running)
    html = render_to_string("rentals/board_row.html", {"row": row}, request)
    return {"html": html, "arrived": arrival(order) if row["shown"].has_sms else ""}


def arrival(order: Order) -> str:
    """The announcement for screen readers and desktop notifications; never the code."""
    text = gettext("SMS arrived on the number ending %(digits)s.")
    return text % {"digits": order.phone[-4:]}
