"""The page that sets how much each role may start without a second person."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView
from unfold.sites import UnfoldAdminSite
from unfold.widgets import UnfoldAdminTextInputWidget

from core.acts import record_act
from core.admin.buttons import Crumb
from core.admin.pages import NeedsPermission, Page, current_user, require
from providers.models import ApprovalLimit
from providers.presentation.approval_inbox import MAY_LIMIT
from providers.presentation.approval_texts import NAMES, why_off

from ..rights.delegation import may_limit
from ..rights.roles import role_label

FIELDS: Final = ("messages", "orders", "cost")
MOST: Final = 1_000_000_000
_WHOLE: Final = _("Enter a number without decimals, or leave it empty for no limit.")
_AMOUNT: Final = _("Enter an amount such as 50 or 50.00, or leave it empty for no limit.")


class LimitForm(forms.Form):
    """The limits of one role."""

    messages = forms.IntegerField(
        label=NAMES["messages"],
        required=False,
        min_value=0,
        max_value=MOST,
        error_messages={"invalid": _WHOLE, "min_value": _WHOLE, "max_value": _WHOLE},
    )
    orders = forms.IntegerField(
        label=NAMES["orders"],
        required=False,
        min_value=0,
        max_value=MOST,
        error_messages={"invalid": _WHOLE, "min_value": _WHOLE, "max_value": _WHOLE},
    )
    cost = forms.DecimalField(
        label=NAMES["cost"],
        required=False,
        min_value=0,
        max_value=MOST,
        decimal_places=4,
        error_messages=dict.fromkeys(
            ("invalid", "min_value", "max_value", "max_decimal_places", "max_digits"), _AMOUNT
        ),
    )

    def __init__(self, data: Any, *, group: Group, actor: User) -> None:
        self.group = group
        self.role = role_label(group.name)
        self.may_change = actor.has_perm(MAY_LIMIT) and may_limit(actor, group)
        self.limit = getattr(group, "approval_limit", None)
        initial = {name: _typed(getattr(self.limit, name, None)) for name in FIELDS}
        super().__init__(data, prefix=str(group.pk), initial=initial, label_suffix="")
        for name in FIELDS:
            field = self.fields[name]
            field.widget = UnfoldAdminTextInputWidget(
                {"inputmode": "decimal", "autocomplete": "off", "maxlength": 20}
            )
            field.disabled = not self.may_change

    @property
    def is_changed(self) -> bool:
        return self.may_change and bool(self.changed_data)

    @property
    def sets_a_limit(self) -> bool:
        """Whether it sets a limit or makes one smaller, and does not only lift some."""
        return any(self.cleaned_data.get(name) is not None for name in self.changed_data)

    def save(self, by: User) -> None:
        values = {name: self.cleaned_data.get(name) for name in FIELDS}
        before = {name: getattr(self.limit, name, None) for name in FIELDS}
        if all(value is None for value in values.values()):
            ApprovalLimit.objects.filter(group=self.group).delete()
        else:
            ApprovalLimit.objects.update_or_create(group=self.group, defaults=values)
        record_act(
            "approval_limit.change",
            by=by,
            subject=f"role:{self.group.pk}",
            before={name: _typed(value) for name, value in before.items()},
            after={name: _typed(value) for name, value in values.items()},
        )


def _typed(value: int | Decimal | None) -> str:
    """As the form writes it; empty for no limit."""
    if isinstance(value, Decimal):
        whole = value.to_integral_value()
        return format(whole if whole == value else value.normalize(), "f")
    return "" if value is None else str(value)


class ApprovalLimitsPage(Page, TemplateView):
    """Whoever may set limits sets those of roles below their own, never of one that they hold."""

    title = pgettext_lazy("title", "Approval limits")
    template_name = "portal/approval_limits.html"
    http_method_names = ["get", "post"]

    def has_permission(self) -> bool:
        may = self.request.user.has_perm
        return may("providers.view_approvallimit") or may(MAY_LIMIT)

    def handle_no_permission(self) -> Any:
        raise NeedsPermission(MAY_LIMIT)

    def get_trail(self) -> list[Crumb]:
        inbox = Crumb(pgettext_lazy("title", "Approvals"), reverse("admin:approvals"))
        return [inbox, Crumb(self.get_title())]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        require(request, MAY_LIMIT)
        actor = current_user(request)
        with transaction.atomic():
            # The lock keeps two people from mixing their changes of one role.
            list(Group.objects.select_for_update().order_by("pk").values_list("pk"))
            forms_ = self._forms(actor, request.POST)
            changed = [form for form in forms_ if form.is_changed]
            if not all(form.is_valid() for form in changed):
                return self._page(forms_)
            problem = why_off()
            if problem and any(form.sets_a_limit for form in changed):
                return self._page(forms_, problem)
            for form in changed:
                form.save(actor)
        if changed:
            messages.success(request, gettext("Limits saved."))
        return HttpResponseRedirect(reverse("admin:approval_limits"))

    def _forms(self, actor: User, data: Any = None) -> list[LimitForm]:
        roles = Group.objects.select_related("approval_limit").order_by("pk")
        return [LimitForm(data, group=role, actor=actor) for role in roles]

    def _page(self, forms_: list[LimitForm], problem: str = "") -> HttpResponse:
        return self.render_to_response(self.get_context_data(forms=forms_, problem=problem))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        found = kwargs.get("forms") or self._forms(current_user(self.request))
        return super().get_context_data(
            **{
                "off": why_off(),
                "problem": "",
                "may_change": any(form.may_change for form in found),
                **kwargs,
                "forms": found,
            }
        )


def approval_limits_urls(site: UnfoldAdminSite) -> list[URLPattern]:
    view = site.admin_view(ApprovalLimitsPage.as_view())
    return [path("approvals/limits/", view, name="approval_limits")]
