"""Rented numbers on the page of a number."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.admin.buttons import Text
from core.admin.labels import state_label
from core.admin.number_sources import NumberEvent, NumberSource, Reader
from core.countries import country_name
from core.masking import data
from core.people import person_name
from core.visibility import may_see_whole

from ..catalogue import project_names
from ..models import Order
from .labels import shown_state

MOST_OWN = 50


class OrdersOfNumber(NumberSource):
    key: ClassVar[str] = "rented"
    title: ClassVar[Text] = pgettext_lazy("tab", "Rented")
    permission: ClassVar[str] = "rentals.view_order"

    def events(
        self, number: str, reader: Reader, most: int, before: datetime | None = None
    ) -> list[NumberEvent]:
        names = project_names()
        rows = self._rows(number).select_related("account", "created_by")
        rows = rows.filter(created_at__lt=before) if before else rows
        return [self._event(one, names) for one in rows.order_by("-created_at")[:most]]

    def count(self, number: str, reader: Reader, most: int) -> int:
        return self._rows(number).order_by()[:most].count()

    def shows_whole(self, number: str, reader: Reader) -> bool:
        return any(may_see_whole(one, reader) for one in self._rows(number)[:MOST_OWN])

    @staticmethod
    def _rows(number: str) -> QuerySet[Order]:
        # Providers state a number with or without its plus sign.
        return Order.objects.filter(phone__in=(number, number.removeprefix("+")))

    @staticmethod
    def _event(order: Order, names: dict[str, str]) -> NumberEvent:
        return NumberEvent(
            order.created_at,
            "add_call",
            state_label("order", shown_state(order)),
            format_html(
                "{} · {}",
                data(names.get(order.project, order.project)),
                country_name(order.region),
            ),
            reverse("admin:rentals_order_change", args=[order.public_id]),
            _("Open order"),
            by=person_name(order.created_by),
            account=order.account.name,
        )
