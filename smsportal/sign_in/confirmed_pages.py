"""The pages that ask again who somebody is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import ResolverMatch

from core.models import ExportJob

from .confirmation import refuse_unconfirmed

ALWAYS: Final = frozenset(
    {
        "admin:alerts_ping",
        "admin:alerts_receiver",
        "admin:alerts_receiver_add",
        "admin:auth_group_add",
        "admin:auth_group_change",
        "admin:auth_user_add",
        "admin:auth_user_change",
        "admin:auth_user_end_sessions",
        "admin:auth_user_password_change",
        "admin:auth_user_reset_factors",
        "admin:factor_rules",
        "admin:providers_account_add",
        "admin:providers_account_new_address",
        "admin:providers_account_revoke_address",
        "mfa_activate_totp",
        "mfa_add_webauthn",
        "mfa_deactivate_totp",
        "mfa_generate_recovery_codes",
        "mfa_remove_webauthn",
        "my_provider",
    }
)
WITH_PERMISSION: Final = {"admin:providers_account_change": "providers.change_account"}
"""Pages that show nothing secret to those who may only look at them."""


class ConfirmedPagesMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, _args: Any, _kwargs: Any
    ) -> HttpResponse | None:
        match = request.resolver_match
        if not settings.CONFIRM_MINUTES or match is None:
            return None
        user = request.user
        if isinstance(user, User) and _asks(user, match):
            return refuse_unconfirmed(request)
        return None


def _asks(user: User, match: ResolverMatch) -> bool:
    name = match.view_name
    if name in ALWAYS:
        return True
    if name in WITH_PERMISSION:
        return user.has_perm(WITH_PERMISSION[name])
    if name == "admin:my_exports_file":
        job = ExportJob.objects.filter(public_id=match.kwargs.get("public_id"), by=user).first()
        return job is not None and _exports_whole(user, job.rows_of)
    label, _dot, rest = name.removeprefix("admin:").partition("_")
    if not rest.endswith("_export"):
        return False
    return _exports_whole(user, f"{label}.{rest.removesuffix('_export')}")


def _exports_whole(user: User, model: str) -> bool:
    """Whether the file of this list shows whole to the person what the list masks."""
    for registered, model_admin in admin.site._registry.items():
        if registered._meta.label_lower == model:
            reveal = getattr(getattr(model_admin, "list_export", None), "reveal", "")
            return bool(reveal) and user.has_perm(reveal)
    return False
