"""Actions on one order: cancel, settle, reveal, reassign, hide, import."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from core.acts import record_act
from core.admin.actions import (
    REVEALED,
    ObjectAction,
    RevealAction,
    log_change,
    record_reveal,
)
from core.admin.pages import NeedsPermission, Page, current_user
from core.admin.reasons import reason_from, reason_problem
from core.countries import country_name
from core.people import person_name
from core.stored_texts import as_value, declare
from core.visibility import may_reveal, may_see_whole
from providers import clock
from providers.gateway.vocabulary import OrderState as StatedState

from .. import (
    cancel_requests,
    hand_overs,
    log_texts,
    order_import,
    place_orders,
    reconciliation,
)
from ..catalogue import project_names
from ..models import FoundOrder, Order
from ..presentation.visibility import may_hand_over, shown
from ..states import FROM_PROVIDER, OrderState
from .order_page import SETTLE_REASONS, colleagues

S = OrderState
TAKEN_OVER = declare("reveal.taken_over", pgettext_lazy("reveal", "Order taken over"))


class OrderAction(ObjectAction[Order]):
    """An action that returns to the order's page, or to the board if it was started there."""

    def back_to(self, obj: Order) -> HttpResponse:
        if self.request.POST.get("from") == "board":
            return HttpResponseRedirect(reverse("admin:rentals_order_board"))
        return super().back_to(obj)


class CancelPage(OrderAction):
    permission_required = "rentals.cancel_order"

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order = self.find(object_id)
        then_rent = "then_rent" in request.POST
        if then_rent and not request.user.has_perm("rentals.rent_order"):
            raise NeedsPermission("rentals.rent_order")
        by = current_user(request)
        if order.state == S.QUEUED and place_orders.withdraw(order, by):
            self.log(order, log_texts.WITHDRAWN.store())
            self._report_withdrawn(request, order)
        elif cancel_requests.request_cancel(order, by, then_rent=then_rent):
            both, cancel = log_texts.CANCEL_AND_RENT_REQUESTED, log_texts.CANCEL_REQUESTED
            self.log(order, (both if then_rent else cancel).store())
            messages.success(request, _("Cancellation requested."))
        else:
            messages.warning(request, self._too_late(order))
        return self.back_to(order)

    def _report_withdrawn(self, request: HttpRequest, order: Order) -> None:
        if order.released_from_id is None:
            messages.success(request, _("Cancelled. Nothing was ordered."))
            return
        text = _(
            "It will not be ordered again. It may have been ordered before the hold; the portal"
            " searches the provider's order list."
        )
        messages.warning(request, text)

    def _too_late(self, order: Order) -> str:
        order.refresh_from_db()
        if order.state == S.HELD:
            return gettext("No change: this is on hold. A manager decides.")
        if order.state == S.AWAITING_APPROVAL:
            return gettext("No change: it waits for approval. Withdraw the request instead.")
        if order.state in (S.CLAIMED, S.PLACING):
            return gettext("The order is being placed. Cancel it once the number is assigned.")
        if cancel_requests.is_being_cancelled(order):
            return gettext("Cancellation is already in progress; it was not requested twice.")
        if order.sms_at:
            return gettext("The order was not cancelled because the SMS has already arrived.")
        return gettext("No change: the order is no longer pending.")


class SettlePage(OrderAction):
    """Settle an unknown outcome: adopt an order of the provider's list, or mark as not made."""

    permission_required = "rentals.resolve_order"

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order = self.find(object_id)
        because = reason_from(request, SETTLE_REASONS)
        if not because:
            otherwise = _("No change: choose a reason, or describe it in a few words.")
            messages.error(request, reason_problem(request, otherwise))
            return self.back_to(order)
        by = current_user(request)
        if request.POST.get("outcome") == "adopt":
            found = reconciliation.candidates(order).filter(public_id=request.POST.get("found", ""))
            first = found.first()
            done = bool(first) and reconciliation.adopt(order, first, by=by, because=because)  # type: ignore[arg-type]
            found_id = first.provider_id if first else ""
            logged = log_texts.ADOPTED.store(id=found_id, reason=as_value(because))
        else:
            done = reconciliation.mark_not_made(order, by, because)
            logged = log_texts.MARKED_NOT_PLACED.store(reason=as_value(because))
        if done:
            self.log(order, logged)
            messages.success(request, _("Outcome saved."))
        else:
            messages.warning(request, _("No change: the outcome has already been set."))
        return self.back_to(order)


class RevealPage(RevealAction[Order]):
    """Reveal number, code and text."""

    permission_required = ("rentals.view_order", "rentals.reveal_order")
    template_name = "rentals/revealed.html"

    def get_revealed(self, obj: Order) -> dict[str, Any]:
        return {"shown": shown(obj, unmasked=True)}


class HandOverPage(OrderAction):
    """Hand an order over to a colleague, who then holds it and sees its code."""

    permission_required = "rentals.rent_order"

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order = self.find(object_id)
        if not may_hand_over(order, request.user):
            raise NeedsPermission("rentals.reveal_order")
        person = request.POST.get("to", "")[:20]
        to = colleagues().filter(pk=person).first() if person.isdecimal() else None
        if to is None:
            messages.error(request, _("No change: choose who takes over the order."))
        elif self._hand_over(order, to):
            text = _("This order is now assigned to %(name)s.")
            messages.success(request, text % {"name": person_name(to)})
        else:
            messages.warning(request, _("No change: the order is now assigned to someone else."))
        return self.back_to(order)

    def _hand_over(self, order: Order, to: User) -> bool:
        """Hand over, and record it. Taking an order over shows its number, as a reveal does."""
        by = current_user(self.request)
        took_over = to == by and not may_see_whole(order, by)
        with transaction.atomic():
            done = hand_overs.hand_over(order, to, by=by)
            if done:
                record_act("order.hand_over", by=by, subject=f"order:{order.pk}", to=to.pk)
            if done and took_over:
                self.log(order, REVEALED.store(reason=as_value(TAKEN_OVER.store())), is_act=False)
                record_reveal(order, by, TAKEN_OVER.store())
        return done


class HidePage(OrderAction):
    """Remove an order from the board; it stays in the list."""

    permission_required = "rentals.view_order"

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        order = self.find(object_id)
        if not may_reveal(Order, request.user) and not may_see_whole(order, request.user):
            raise NeedsPermission("rentals.reveal_order")
        Order.objects.filter(pk=order.pk, hidden_at=None).update(hidden_at=clock.now())
        return HttpResponseRedirect(reverse("admin:rentals_order_board"))


class FoundPage(Page, TemplateView):
    """The found orders, and their import."""

    title = _("Orders placed outside the portal")
    permission_required = "rentals.import_order"
    template_name = "rentals/found.html"
    http_method_names = ["get", "post"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = FoundOrder.objects.filter(order=None).select_related("account")
        names = project_names()
        rows = [
            {
                "found": one,
                "number": shown(Order(phone=one.phone, region=one.region), unmasked=False).number,
                "app": names.get(one.project, one.project),
                "country": country_name(one.region),
                "state": FROM_PROVIDER.get(StatedState(one.stated), one.provider_state),
            }
            for one in found[:200]
        ]
        return {**super().get_context_data(**kwargs), "rows": rows}

    @transaction.atomic
    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        matching = FoundOrder.objects.filter(public_id=request.POST.get("found", "")[:24])
        found = matching.first()
        if found is None:
            raise Http404
        order = order_import.import_order(found, current_user(request))
        if order is None:
            messages.warning(request, _("This order has already been adopted."))
            return HttpResponseRedirect(reverse("admin:rentals_order_found"))
        log_change(request, [order], log_texts.IMPORTED.store(), is_act=False)
        record_act("order.import", by=current_user(request), subject=f"order:{order.pk}")
        messages.success(request, _("Order adopted and assigned to you."))
        return HttpResponseRedirect(reverse("admin:rentals_order_change", args=[order.public_id]))
