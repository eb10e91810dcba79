"""Says on the dashboard that the account for emergencies would not help in one."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin.attention import AttentionItem

from .factors import has_factor
from .local_accounts import MANAGES


def emergency_gaps(request: HttpRequest) -> Iterator[AttentionItem]:
    """Says on the dashboard of managers that the account would not help in an emergency."""
    name: str = settings.EMERGENCY_ACCOUNT
    if not name or not request.user.has_perm(MANAGES):
        return
    person = User.objects.filter(username=name, is_active=True, is_staff=True).first()
    values = {"name": name}
    if person is None or not person.has_usable_password():
        text = _("The emergency account %(name)s cannot sign in: it has no password, or is closed.")
    elif not has_factor(person):
        text = _("The emergency account %(name)s has no second factor yet. Sign in and set it up.")
    else:
        return
    yield AttentionItem(text % values, reverse("admin:auth_user_changelist"))
