"""Tabs for lists that share one item of the sidebar."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ..rights.roles import REQUIRE_FACTOR, VIEW_AUDIT_LOG, VIEW_ROW_CHANGES
from .sidebar import address


def tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """The tabs in the admin theme's format. Superusers see all of them."""
    catalogue = {
        "models": ["rentals.project", "rentals.region"],
        "items": _tabs(
            (pgettext_lazy("tab", "Apps"), "rentals_project"),
            (pgettext_lazy("tab", "Countries/regions"), "rentals_region"),
        ),
    }
    batches = _permitted(
        request,
        (pgettext_lazy("tab", "Batches"), "messaging_batch", "messaging.view_batch"),
        (pgettext_lazy("tab", "Templates"), "messaging_template", "messaging.view_template"),
        (_("Do-not-send list"), "messaging_donotsend", "messaging.view_donotsend"),
    )
    batch_models = [f"messaging.{name}" for name in ("batch", "template", "donotsend")]
    of_batches = {"models": batch_models, "items": batches}
    audit = {
        "models": ["audit.entry", "auditlog.logentry"],
        "items": _permitted(
            request,
            (_("Audit log"), "audit_entry", VIEW_AUDIT_LOG),
            (_("Changes of rows"), "auditlog_logentry", VIEW_ROW_CHANGES),
        ),
    }
    rules = _factor_rules(request)
    if not getattr(request.user, "is_superuser", False):
        staff = _permitted(
            request,
            (pgettext_lazy("tab", "Staff"), "auth_user", "auth.view_user"),
            (pgettext_lazy("tab", "Caps"), "providers_dailylimit", "providers.view_dailylimit"),
            (
                pgettext_lazy("tab", "Exemptions"),
                "providers_capexemption",
                "providers.view_capexemption",
            ),
        )
        return [
            catalogue,
            of_batches,
            audit,
            {
                "models": ["auth.user", "providers.dailylimit", "providers.capexemption"],
                "items": [*staff, *rules],
            },
        ]
    staff = _tabs(
        (pgettext_lazy("tab", "Staff"), "auth_user"),
        (pgettext_lazy("tab", "Roles"), "auth_group"),
        (pgettext_lazy("tab", "Caps"), "providers_dailylimit"),
        (pgettext_lazy("tab", "Exemptions"), "providers_capexemption"),
        (_("Failed sign-ins"), "axes_accessattempt"),
        (pgettext_lazy("tab", "Sign-ins"), "axes_accesslog"),
    )
    staff_models = ["auth.user", "auth.group", "axes.accessattempt", "axes.accesslog"]
    staff_models += ["providers.dailylimit", "providers.capexemption"]
    return [
        catalogue,
        of_batches,
        audit,
        {"models": staff_models, "items": [*staff, *rules]},
        {
            "models": [f"django_q.{name}" for name in ("ormq", "failure", "success", "schedule")],
            "items": queue_tabs(),
        },
    ]


def _factor_rules(request: HttpRequest) -> list[dict[str, Any]]:
    if not request.user.has_perm(REQUIRE_FACTOR):
        return []
    return [
        {"title": pgettext_lazy("tab", "Second factors"), "link": address("admin:factor_rules")}
    ]


def queue_tabs() -> list[dict[str, Any]]:
    return _tabs(
        (pgettext_lazy("tasks", "Waiting"), "django_q_ormq"),
        (pgettext_lazy("tasks", "Failed"), "django_q_failure"),
        (pgettext_lazy("tasks", "Done"), "django_q_success"),
        (pgettext_lazy("tab", "Schedules"), "django_q_schedule"),
    )


def _tabs(*pairs: tuple[Promise, str]) -> list[dict[str, Any]]:
    return [
        {"title": title, "link": link}
        for title, model in pairs
        if (link := address(f"admin:{model}_changelist"))
    ]


def _permitted(request: HttpRequest, *places: tuple[Promise, str, str]) -> list[dict[str, Any]]:
    return _tabs(*((title, model) for title, model, name in places if request.user.has_perm(name)))
