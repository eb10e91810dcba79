"""Sent alerts, and the last one of each receiver, as pages show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from core.stored_texts import show

from ..message import summary_of
from ..models import Delivery, Receiver
from ..states import Occasion
from ..targets import service_of
from .error_texts import error_text


@dataclass(frozen=True, slots=True)
class SentLine:
    delivery: Delivery

    @property
    def text(self) -> str:
        if self.delivery.occasion == Occasion.TEST:
            return pgettext("alert", "Test")
        text = summary_of(self.delivery)
        if self.delivery.occasion == Occasion.OVER:
            return _("Resolved: %(what)s") % {"what": text}
        return _("Still: %(what)s") % {"what": text} if self.is_again else text

    @property
    def is_again(self) -> bool:
        return self.delivery.occasion == Occasion.AGAIN

    @property
    def lines(self) -> list[str]:
        """The alarms that were written out, if there were several."""
        return [show(line) for line in self.delivery.lines] if self.delivery.count > 1 else []

    @property
    def more(self) -> int:
        return max(0, self.delivery.count - len(self.delivery.lines))

    @property
    def error(self) -> str:
        return error_text(self.delivery.error) if self.delivery.error else ""


@dataclass(frozen=True, slots=True)
class ReceiverLine:
    receiver: Receiver
    service: str
    last: SentLine | None


def sent_lines(rows: Iterable[Delivery]) -> list[SentLine]:
    return [SentLine(row) for row in rows]


def receiver_lines() -> list[ReceiverLine]:
    newest = Delivery.objects.filter(receiver=OuterRef("pk")).order_by("-created_at", "-pk")
    receivers = list(Receiver.objects.annotate(last=Subquery(newest.values("pk")[:1])))
    keys = [key for one in receivers if (key := getattr(one, "last", None)) is not None]
    last = Delivery.objects.in_bulk(keys)
    found = []
    for receiver in receivers:
        service = service_of(receiver.service)
        delivery = last.get(getattr(receiver, "last", None))
        found.append(
            ReceiverLine(
                receiver,
                str(service.label) if service else receiver.service,
                SentLine(delivery) if delivery else None,
            )
        )
    return found
