"""The pages of exemptions from caps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView

from core.admin.actions import ObjectAction
from core.admin.buttons import EmptyState
from core.admin.pages import Page, current_user
from core.admin.read_only import ReadOnlyAdmin
from core.masking import data
from core.people import person_name
from core.times import when
from providers.caps import exemptions
from providers.models import CapExemption

from .cap_exports import EXEMPTIONS
from .cap_texts import key_text, names_of_accounts, names_of_people
from .exemption_form import ExemptionForm


class AddPage(Page, FormView):  # type: ignore[type-arg]
    title = _("Exempt from caps")
    permission_required = "providers.add_capexemption"
    template_name = "portal/caps/exempt.html"
    form_class = ExemptionForm

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "actor": current_user(self.request)}

    def form_valid(self, form: ExemptionForm) -> HttpResponse:
        values = form.cleaned_data
        exemptions.exempt(
            values["scope"],
            values["key"],
            until=values["last_day"],
            because=values["because"],
            by=current_user(self.request),
        )
        messages.success(self.request, gettext("The exemption applies from now on."))
        return HttpResponseRedirect(reverse("admin:providers_capexemption_changelist"))


def may_end(user: User, exemption: CapExemption) -> bool:
    """Ending one only tightens a cap, so anybody who manages caps may do it."""
    return user.has_perm("providers.change_capexemption") and not exemptions.has_ended(exemption)


class EndPage(ObjectAction[CapExemption]):
    permission_required = "providers.change_capexemption"

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        exemption = self.find(object_id)
        if exemptions.end(exemption, current_user(request)):
            messages.success(request, gettext("The exemption has ended. The caps apply again."))
        else:
            messages.warning(request, gettext("No change: this exemption has already ended."))
        return self.back_to(exemption)


@admin.register(CapExemption)
class CapExemptionAdmin(ReadOnlyAdmin):
    detail_template = "portal/caps/exemption.html"
    list_export = EXEMPTIONS
    list_title = pgettext_lazy("title", "Exemptions")
    primary_page = ("providers.add_capexemption", _("Exempt from caps"), "exempt", "add")
    list_display = ("subject", "because", "adder", "added", "ends")
    list_filter = ("scope",)
    ordering = ("-created_at", "-pk")
    pages = (
        ("exempt/", "exempt", AddPage),
        ("<str:object_id>/end/", "end", EndPage),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[CapExemption]:
        rows: QuerySet[CapExemption] = super().get_queryset(request)
        return rows.select_related("created_by", "ended_by")

    def prepare_rows(self, rows: Sequence[CapExemption]) -> None:
        accounts, people = names_of_accounts(rows), names_of_people(rows)
        for row in rows:
            names = people if row.scope == "user" else accounts
            row.subject = key_text(row.scope, row.key, names)  # type: ignore[attr-defined]

    @admin.display(description=_("Applies to"))
    def subject(self, exemption: CapExemption) -> SafeString:
        return data(getattr(exemption, "subject", ""))

    @admin.display(description=_("Added by"), ordering="created_by")
    def adder(self, exemption: CapExemption) -> SafeString:
        return data(person_name(exemption.created_by))

    @admin.display(description=_("Added at"), ordering="created_at")
    def added(self, exemption: CapExemption) -> SafeString:
        return when(exemption.created_at)

    @admin.display(description=_("Ends at"), ordering="ends_at")
    def ends(self, exemption: CapExemption) -> SafeString | str:
        if exemptions.has_ended(exemption):
            return pgettext("state", "Ended")
        return when(exemption.ends_at)

    def get_empty_state(self, request: HttpRequest) -> EmptyState:
        return EmptyState(
            _("Nothing is exempt: the caps apply to everything."),
            self.get_list_primary(request),
            "speed",
        )

    def get_detail_title(self, request: HttpRequest, obj: CapExemption) -> str:
        names = names_of_people([obj]) if obj.scope == "user" else names_of_accounts([obj])
        return key_text(obj.scope, obj.key, names)

    def get_detail_context(self, request: HttpRequest, obj: CapExemption) -> Mapping[str, Any]:
        return {
            "has_ended": exemptions.has_ended(obj),
            "may_end": may_end(current_user(request), obj),
            "end_url": self.object_url(obj, "end"),
        }
