"""The page that sets which roles require a second factor, and shows first whom that concerns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, pgettext_lazy
from django.views.generic import TemplateView
from unfold.sites import UnfoldAdminSite

from core.acts import record_act
from core.admin.buttons import Crumb
from core.admin.pages import Page, current_user
from core.people import person_name

from ..models import FactorRule
from ..rights.delegation import may_limit
from ..rights.roles import REQUIRE_FACTOR, role_label
from .factors import has_factor, needs_factor


@dataclass(frozen=True, slots=True)
class RoleRule:
    group: Group
    label: str
    is_fixed: bool
    """Required by SECOND_FACTOR_ROLES, which no page changes."""
    is_required: bool
    may_change: bool
    people: int


@dataclass(frozen=True, slots=True)
class Preview:
    """Who would have to use a factor that they need not use now, or the other way round."""

    required: list[str]
    dropped: list[str]
    """The labels of the roles that change."""
    set_up: list[str]
    """People who would have to set up a factor first."""
    use: list[str]
    """People who have one, and would have to use it."""
    freed: list[str]


def rules_for(actor: User) -> list[RoleRule]:
    groups = Group.objects.select_related("factor_rule").order_by("pk")
    fixed: list[str] = settings.SECOND_FACTOR_ROLES
    return [
        RoleRule(
            group,
            role_label(group.name),
            group.name in fixed,
            group.name in fixed or hasattr(group, "factor_rule"),
            group.name not in fixed and may_limit(actor, group),
            group.user_set.filter(is_active=True).count(),
        )
        for group in groups
    ]


def changed_rules(rules: Iterable[RoleRule], wanted: set[str]) -> list[RoleRule]:
    """Those that the person may change and that differ from the keys in `wanted`."""
    return [
        rule
        for rule in rules
        if rule.may_change and rule.is_required != (str(rule.group.pk) in wanted)
    ]


def preview_of(changed: list[RoleRule]) -> Preview:
    """What the change would mean for each active person of these roles."""
    groups = [rule.group for rule in changed]
    people = list(User.objects.filter(groups__in=groups, is_active=True).distinct().order_by("pk"))
    before = {person.pk: needs_factor(person) for person in people}
    with transaction.atomic():
        _save(changed)
        after = {person.pk: needs_factor(person) for person in people}
        transaction.set_rollback(True)
    found = Preview([], [], [], [], [])
    for rule in changed:
        (found.dropped if rule.is_required else found.required).append(rule.label)
    for person in people:
        if after[person.pk] and not before[person.pk]:
            (found.use if has_factor(person) else found.set_up).append(person_name(person))
        elif before[person.pk] and not after[person.pk]:
            found.freed.append(person_name(person))
    return found


def _save(changed: list[RoleRule]) -> None:
    for rule in changed:
        if rule.is_required:
            FactorRule.objects.filter(group=rule.group).delete()
        else:
            FactorRule.objects.get_or_create(group=rule.group)


def save_rules(changed: list[RoleRule], by: User) -> None:
    with transaction.atomic():
        _save(changed)
        for rule in changed:
            what = "role.drop_factor" if rule.is_required else "role.require_factor"
            record_act(what, by=by, subject=f"role:{rule.group.pk}")


class FactorRulesPage(Page, TemplateView):
    """Whoever may set this sets it for roles below their own, never for one that they hold."""

    title = pgettext_lazy("title", "Second factors by role")
    template_name = "sign_in/factor_rules.html"
    http_method_names = ["get", "post"]
    permission_required = REQUIRE_FACTOR

    def get_trail(self) -> list[Crumb]:
        trail = [Crumb(self.get_title())]
        if self.request.user.has_perm("auth.view_user"):
            staff = reverse("admin:auth_user_changelist")
            trail.insert(0, Crumb(pgettext_lazy("menu", "Staff"), staff))
        return trail

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        actor, wanted = current_user(request), set(request.POST.getlist("role"))
        with transaction.atomic():
            # The lock keeps two people from mixing their changes.
            list(Group.objects.select_for_update().order_by("pk").values_list("pk"))
            changed = changed_rules(rules_for(actor), wanted)
            if changed and "confirm" not in request.POST:
                preview = preview_of(changed)
                context = self.get_context_data(preview=preview, wanted=wanted)
                return self.render_to_response(context)
            save_rules(changed, actor)
        if changed:
            messages.success(request, gettext("Saved which roles require a second factor."))
        else:
            messages.info(request, gettext("No change: the same roles require a second factor."))
        return HttpResponseRedirect(reverse("admin:factor_rules"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rules = rules_for(current_user(self.request))
        wanted = kwargs.get("wanted")
        ticked = {
            rule.group.pk
            for rule in rules
            if (
                rule.is_required
                if wanted is None or not rule.may_change
                else str(rule.group.pk) in wanted
            )
        }
        own = {
            "rules": rules,
            "ticked": ticked,
            "may_change": any(rule.may_change for rule in rules),
        }
        return super().get_context_data(**{"preview": None, **kwargs, **own})


def factor_rules_urls(site: UnfoldAdminSite) -> list[URLPattern]:
    view = site.admin_view(FactorRulesPage.as_view())
    return [path("staff/second-factors/", view, name="factor_rules")]
