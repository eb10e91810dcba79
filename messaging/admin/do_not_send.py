"""Pages of the do-not-send list: the list, adding numbers, taking a number off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from core.admin.actions import ObjectAction, log_change
from core.admin.buttons import EmptyState
from core.admin.pages import Page, current_user
from core.admin.read_only import ReadOnlyAdmin, may_ask_for
from core.admin.reasons import MAX_REASON_LENGTH
from core.admin.too_long import length_problem
from core.masking import data, masked_number
from core.people import person_name
from core.phones.parse import search_key
from core.times import when

from .. import do_not_send, log_texts
from ..batches.create import paste_to_file
from ..models import DoNotSend
from ..recipients import InvalidRecipient, read_recipient
from .export import DO_NOT_SEND

MAX_AT_ONCE = 1_000


class AddForm(forms.Form):
    numbers = forms.CharField(
        label=_("Phone numbers"),
        max_length=100_000,
        help_text=_("One per line."),
        widget=UnfoldAdminTextareaWidget({"rows": 5, "dir": "ltr", "autocomplete": "off"}),
        error_messages={"required": _("Enter a phone number.")},
    )
    because = forms.CharField(
        label=pgettext_lazy("field", "Reason"),
        max_length=MAX_REASON_LENGTH,
        widget=UnfoldAdminTextInputWidget(),
        error_messages={"required": _("Enter the reason.")},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})

    def clean_numbers(self) -> list[str]:
        lines = paste_to_file(self.cleaned_data["numbers"]).decode().split("\n")
        found = []
        for line in filter(None, map(str.strip, lines)):
            try:
                found.append(read_recipient(line).e164)
            except InvalidRecipient as reason:
                raise forms.ValidationError(str(reason)) from None
        if len(found) > MAX_AT_ONCE:
            raise forms.ValidationError(
                gettext("Enter at most %(most)s numbers at a time.") % {"most": MAX_AT_ONCE}
            )
        return list(dict.fromkeys(found))

    def clean_because(self) -> str:
        return str(self.cleaned_data["because"]).replace("\0", "")


class AddPage(Page, FormView):  # type: ignore[type-arg]
    title = _("Add to the do-not-send list")
    permission_required = "messaging.add_donotsend"
    template_name = "messaging/do_not_send_add.html"
    form_class = AddForm

    @transaction.atomic
    def form_valid(self, form: AddForm) -> HttpResponse:
        by = current_user(self.request)
        added = 0
        for number in form.cleaned_data["numbers"]:
            entry, is_new = do_not_send.add(number, form.cleaned_data["because"], by)
            if is_new:
                added += 1
                logged = log_texts.NUMBER_LISTED.store(reason=entry.because)
                log_change(self.request, [entry], logged, ADDITION)
        messages.success(
            self.request,
            ngettext(
                "%(count)d number added to the list.", "%(count)d numbers added to the list.", added
            )
            % {"count": added},
        )
        return HttpResponseRedirect(reverse("admin:messaging_donotsend_changelist"))


class RemovePage(ObjectAction[DoNotSend]):
    permission_required = "messaging.change_donotsend"

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        entry = self.find(object_id)
        because = request.POST.get("because", "").replace("\0", "").strip()
        if problem := length_problem(because, MAX_REASON_LENGTH):
            messages.error(request, problem)
        elif not because:
            messages.error(request, _("No change: choose a reason, or describe it in a few words."))
        elif do_not_send.remove(entry, because, current_user(request)):
            self.log(entry, log_texts.NUMBER_REMOVED.store(reason=because))
            messages.success(request, _("The number was removed from the list."))
        else:
            messages.warning(
                request, _("No change: the number has already been removed from the list.")
            )
        return self.back_to(entry)


@admin.register(DoNotSend)
class DoNotSendAdmin(ReadOnlyAdmin):
    detail_template = "messaging/do_not_send.html"
    list_export = DO_NOT_SEND
    list_title = _("Do-not-send list")
    primary_page = ("messaging.add_donotsend", _("Add numbers"), "add_numbers", "add")
    list_display = ("masked", "because", "adder", "added", "removed")
    search_fields = ("number",)
    search_help_text = _("Full phone number")
    ordering = ("-added_at", "-pk")
    pages = (
        ("add-numbers/", "add_numbers", AddPage),
        ("<str:object_id>/remove/", "remove", RemovePage),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[DoNotSend]:
        rows: QuerySet[DoNotSend] = super().get_queryset(request)
        return rows.select_related("added_by", "removed_by")

    @admin.display(description=_("Phone number"))
    def masked(self, entry: DoNotSend) -> SafeString:
        return masked_number(entry.number)

    @admin.display(description=_("Added by"), ordering="added_by")
    def adder(self, entry: DoNotSend) -> SafeString:
        return data(person_name(entry.added_by))

    @admin.display(description=_("Added at"), ordering="added_at")
    def added(self, entry: DoNotSend) -> SafeString:
        return when(entry.added_at)

    @admin.display(description=_("Removed at"), ordering="removed_at")
    def removed(self, entry: DoNotSend) -> SafeString:
        return when(entry.removed_at)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[DoNotSend], search_term: str
    ) -> tuple[QuerySet[DoNotSend], bool]:
        if not search_term.strip():
            return queryset, False
        # Whole numbers only: a search by parts would reveal the masked numbers.
        number = search_key(search_term.strip())
        if not number or not may_ask_for(self, request, number):
            return queryset.none(), False
        return queryset.filter(number=number), False

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(
            _("The list is empty. Numbers on the list are not sent any SMS."),
            self.get_list_primary(request),
            "do_not_disturb_on",
        )

    def get_detail_title(self, request: HttpRequest, obj: DoNotSend) -> str:
        return gettext("Do-not-send list")

    def get_detail_context(self, request: HttpRequest, obj: DoNotSend) -> Mapping[str, Any]:
        can_remove = obj.removed_at is None and request.user.has_perm("messaging.change_donotsend")
        return {"may_remove": can_remove, "remove_url": self.object_url(obj, "remove")}
