"""Says on the dashboard that only one person can manage the portal."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin.attention import AttentionItem

from ..rights.delegation import MODEL_BACKEND

MANAGES = "auth.change_user"


def managers() -> int:
    """How many people can sign in and change other people's accounts."""
    able = User.objects.with_perm(MANAGES, backend=MODEL_BACKEND)
    return able.filter(is_active=True, is_staff=True).count()


def lone_manager(request: HttpRequest) -> Iterator[AttentionItem]:
    """With one manager, nobody lets them in again if they lose their password or phone."""
    if request.user.has_perm(MANAGES) and managers() == 1:
        yield AttentionItem(
            _("You are the only person who can manage staff. Give a second person that role."),
            reverse("admin:auth_user_changelist"),
            icon="group_add",
        )
