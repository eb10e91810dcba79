"""The page of a phone number: what happened with it, and its name. Notes are `note_pages`."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Any, Final

from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.translation import gettext, pgettext
from django.views.generic import TemplateView, View

from core.acts import record_act
from core.admin.actions import revealed_answer
from core.admin.buttons import Crumb
from core.admin.pages import NeedsPermission, Page, current_user, refuse_fragment
from core.admin.reasons import REVEAL_REASONS, reason_from, reason_problem
from core.admin.too_long import length_problem
from core.countries import country_name
from core.masking import plain_number, shown_number
from core.names import given_name
from core.phones.parse import PhoneError, grouped, parse_number
from core.phones.tokens import BadToken, number_in, token_of
from core.visibility import may_reveal
from messaging.do_not_send import find_entry
from messaging.models import Message
from providers import clock

from ..models import LONGEST_NAME, NUMBER, NumberName
from ..note_kinds import WRITE_ABOUT_NUMBERS, may_write, subject_of_number
from ..note_panel import panel_context
from ..number_facts import events_of, name_of, sees_whole, tabs_of

LEAST_SEEN: Final = ("messaging.view_message", "otp.view_session", "rentals.view_order")


class NumberPage(Page, TemplateView):
    template_name = "lookup/number.html"
    http_method_names = ["get"]
    number: str

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        self.number = number_or_404(kwargs["token"])

    def has_permission(self) -> bool:
        return any(map(self.request.user.has_perm, LEAST_SEEN))

    def handle_no_permission(self) -> Any:
        raise NeedsPermission(LEAST_SEEN[0])

    def get_title(self) -> str:
        return plain_number(self.number, whole=sees_whole(self.number, self.request.user))

    def get_trail(self) -> list[Crumb]:
        return [Crumb(self.get_title())]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        reader, token = self.request.user, token_of(self.number)
        whole = sees_whole(self.number, reader)
        only = self.request.GET.get("only", "")
        tabs = tabs_of(self.number, reader)
        if only not in {tab.key for tab in tabs}:
            only = ""
        events, has_older = events_of(self.number, reader, only=only, before=self._before())
        return super().get_context_data(
            number=shown_number(self.number, whole=whole),
            whole=whole,
            may_reveal=not whole and may_reveal(Message, reader),
            reveal_url=reverse("admin:number_reveal", args=[token]),
            reveal_reasons=list(REVEAL_REASONS.items()),
            name=name_of(self.number),
            longest_name=LONGEST_NAME,
            country=country_of(self.number),
            listed=find_entry(self.number) if reader.has_perm("messaging.view_donotsend") else None,
            tabs=tabs,
            only=only,
            total=sum(tab.count for tab in tabs),
            days=[
                (day_word(day), list(rows))
                for day, rows in groupby(events, key=lambda one: timezone.localdate(one.at))
            ],
            older=f"?only={only}&before={events[-1].at.isoformat().replace('+', '%2B')}"
            if has_older
            else "",
            is_later_page=self._before() is not None,
            notes_panel=panel_context(self.request, subject_of_number(self.number)),
            may_note=reader.has_perm(WRITE_ABOUT_NUMBERS),
            token=token,
            base_url=reverse("admin:number", args=[token]),
            send_url=_form_url("admin:messaging_message_send", token, whole=whole),
            code_url=_form_url("admin:otp_session_send", token, whole=whole),
        )

    def _before(self) -> datetime | None:
        try:
            before = parse_datetime(self.request.GET.get("before", ""))
        except ValueError:
            return None
        if before is None or timezone.is_naive(before) or not 1900 <= before.year <= 9000:
            return None
        return before


def _form_url(name: str, token: str, *, whole: bool) -> str:
    """The form, filled in for people who typed the number (`core.phones.searches`)."""
    return f"{reverse(name)}?number={token}" if whole else reverse(name)


def number_or_404(token: str) -> str:
    try:
        return number_in(token)
    except BadToken:
        raise Http404 from None


def country_of(number: str) -> str:
    try:
        return country_name(parse_number(number).country)
    except PhoneError:
        return ""


def day_word(day: Any) -> str:
    """Today, or Friday 20 November, with the year if it is not this one."""
    if day == timezone.localdate():
        return pgettext("figures", "Today")
    # Translators: a day with its weekday, in Django's date format letters.
    form = pgettext("date format", "l j F")
    if day.year != timezone.localdate().year:
        # Translators: a day with its weekday and year, in Django's date format letters.
        form = pgettext("date format", "l j F Y")
    return date_format(day, form, use_l10n=False)


class NameNumber(NumberPage):
    """Names the number. A name that is refused is shown again with the reason beside it."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        if not may_write(NUMBER, request.user):
            raise NeedsPermission(WRITE_ABOUT_NUMBERS)
        typed, number = request.POST.get("name", ""), self.number
        name = given_name(typed)
        if problem := length_problem(name, LONGEST_NAME):
            refused = {"name_problem": problem, "typed_name": typed}
            return self.render_to_response(self.get_context_data() | refused)
        changes = {"name": name, "named_by": current_user(request), "named_at": clock.now()}
        NumberName.objects.update_or_create(number=number, defaults=changes)
        return HttpResponseRedirect(reverse("admin:number", args=[token]))


class RevealNumber(View):
    """Shows the whole number, and logs who saw it and why."""

    http_method_names = ["post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        refused = refuse_fragment(request, ("messaging.view_message", "messaging.reveal_message"))
        return refused or super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        number = number_or_404(token)
        reason = reason_from(request, REVEAL_REASONS)
        if reason:
            with transaction.atomic():
                # The token leads to the number, so it can be erased.
                record_act(
                    "reveal",
                    by=current_user(request),
                    reason=reason,
                    personal={"number": token},
                )
            context: dict[str, Any] = {"number": grouped(number), "raw_number": number}
        else:
            otherwise = gettext("Choose a reason first, or describe it in a few words.")
            context = {"note": reason_problem(request, otherwise)}
        masked = Crumb(plain_number(number, whole=False), reverse("admin:number", args=[token]))
        return revealed_answer(request, "lookup/revealed.html", context, [masked])
