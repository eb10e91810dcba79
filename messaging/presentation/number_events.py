"""Messages, their reports and the do-not-send list on the page of a number."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from core.admin.buttons import Text
from core.admin.labels import Role, StateLabel, render_label, state_label
from core.admin.number_sources import NumberEvent, NumberSource, Reader
from core.masking import data
from core.people import person_name
from core.visibility import OWN_VISIBLE_FOR, may_see_whole
from providers import clock

from ..models import DoNotSend, Message, Report
from .explanations import title_of
from .labels import shown_state
from .visibility import shown_text


class MessagesOfNumber(NumberSource):
    key: ClassVar[str] = "messages"
    title: ClassVar[Text] = pgettext_lazy("tab", "Messages")
    permission: ClassVar[str] = "messaging.view_message"

    def events(
        self, number: str, reader: Reader, most: int, before: datetime | None = None
    ) -> list[NumberEvent]:
        rows = self._rows(number).select_related("account", "created_by", "batch")
        rows = rows.filter(created_at__lt=before) if before else rows
        return [self._event(one, reader) for one in rows.order_by("-created_at")[:most]]

    def count(self, number: str, reader: Reader, most: int) -> int:
        return self._rows(number).order_by()[:most].count()

    def shows_whole(self, number: str, reader: Reader) -> bool:
        since = clock.now() - OWN_VISIBLE_FOR
        own = self._rows(number).filter(typed_by=reader.pk, typed_at__gt=since)
        return own.order_by().exists()

    @staticmethod
    def _rows(number: str) -> QuerySet[Message]:
        return Message.objects.filter(recipient=number)

    @staticmethod
    def _event(message: Message, reader: Reader) -> NumberEvent:
        text = shown_text(message, whole=may_see_whole(message, reader))
        title = title_of(message) if message.reason and not message.settled_at else ""
        return NumberEvent(
            message.created_at,
            "sms",
            state_label("message", shown_state(message)),
            format_html('{} <bdi dir="auto">{}</bdi>', title, text),
            reverse("admin:messaging_message_change", args=[message.public_id]),
            _("Open message"),
            by=person_name(message.created_by),
            account=message.account.name,
        )


class ReportsOfNumber(NumberSource):
    key: ClassVar[str] = "reports"
    title: ClassVar[Text] = pgettext_lazy("tab", "Reports")
    permission: ClassVar[str] = "providers.view_callback"

    def events(
        self, number: str, reader: Reader, most: int, before: datetime | None = None
    ) -> list[NumberEvent]:
        rows = self._rows(number).select_related("message__account", "callback")
        rows = rows.filter(at__lt=before) if before else rows
        return [self._event(one) for one in rows.order_by("-at")[:most]]

    def count(self, number: str, reader: Reader, most: int) -> int:
        return self._rows(number).order_by()[:most].count()

    @staticmethod
    def _rows(number: str) -> QuerySet[Report]:
        return Report.objects.filter(message__recipient=number)

    @staticmethod
    def _event(report: Report) -> NumberEvent:
        callback = report.callback
        return NumberEvent(
            report.at,
            "webhook",
            state_label("message", report.state)
            if report.kind == Report.Kind.DELIVERY
            else SafeString(""),
            format_html("{} {}", report.get_kind_display(), data(report.words[:80])),
            reverse("admin:providers_callback_change", args=[callback.public_id])
            if callback
            else reverse("admin:messaging_message_change", args=[report.message.public_id]),
            _("Open callback") if callback else _("Open message"),
            account=report.message.account.name,
        )


LISTED = StateLabel(_("On the do-not-send list"), Role.WARNING, "block")
REMOVED = StateLabel(_("Off the do-not-send list"), Role.NEUTRAL, "remove_circle")


class EntriesOfNumber(NumberSource):
    key: ClassVar[str] = "do_not_send"
    title: ClassVar[Text] = _("Do-not-send list")
    permission: ClassVar[str] = "messaging.view_donotsend"

    def events(
        self, number: str, reader: Reader, most: int, before: datetime | None = None
    ) -> list[NumberEvent]:
        url = reverse("admin:messaging_donotsend_changelist")
        found = []
        rows = DoNotSend.objects.filter(number=number).select_related("added_by", "removed_by")
        for entry in rows.order_by("-added_at")[:most]:
            person = person_name(entry.added_by)
            found.append(self._event(entry.added_at, LISTED, entry.because, url, person))
            if entry.removed_at:
                person = person_name(entry.removed_by)
                found.append(self._event(entry.removed_at, REMOVED, "", url, person))
        found = [one for one in found if before is None or one.at < before]
        return sorted(found, key=lambda one: one.at, reverse=True)[:most]

    def count(self, number: str, reader: Reader, most: int) -> int:
        return DoNotSend.objects.filter(number=number).order_by()[:most].count()

    @staticmethod
    def _event(at: datetime, label: StateLabel, text: str, url: str, person: str) -> NumberEvent:
        return NumberEvent(
            at, "block", render_label(label), data(text), url, gettext("Open the list"), by=person
        )
