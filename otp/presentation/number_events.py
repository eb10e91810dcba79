"""Code sessions on the page of a number."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext_lazy

from core.admin.buttons import Text
from core.admin.labels import state_label
from core.admin.number_sources import NumberEvent, NumberSource, Reader
from core.people import person_name
from core.times import duration
from core.visibility import OWN_VISIBLE_FOR
from providers import clock

from ..models import Session
from .labels import shown_state


class SessionsOfNumber(NumberSource):
    key: ClassVar[str] = "codes"
    title: ClassVar[Text] = pgettext_lazy("tab", "Codes")
    permission: ClassVar[str] = "otp.view_session"

    def events(
        self, number: str, reader: Reader, most: int, before: datetime | None = None
    ) -> list[NumberEvent]:
        rows = self._rows(number).select_related("account", "created_by")
        rows = rows.filter(created_at__lt=before) if before else rows
        return [self._event(one) for one in rows.order_by("-created_at")[:most]]

    def count(self, number: str, reader: Reader, most: int) -> int:
        return self._rows(number).order_by()[:most].count()

    def shows_whole(self, number: str, reader: Reader) -> bool:
        since = clock.now() - OWN_VISIBLE_FOR
        own = self._rows(number).filter(created_by=reader.pk, created_at__gt=since)
        return own.order_by().exists()

    @staticmethod
    def _rows(number: str) -> QuerySet[Session]:
        return Session.objects.filter(recipient=number)

    @staticmethod
    def _event(session: Session) -> NumberEvent:
        text = ngettext("%(count)d try", "%(count)d tries", session.tries) % {
            "count": session.tries
        }
        if session.verified_at and session.sent_at:
            took = duration(session.verified_at - session.sent_at)
            text = _t("after %(time)s") % {"time": took}
        return NumberEvent(
            session.created_at,
            "pin",
            state_label("session", shown_state(session)),
            text,
            reverse("admin:otp_session_change", args=[session.public_id]),
            _("Open code"),
            by=person_name(session.created_by),
            account=session.account.name,
        )
