"""What people have chosen for themselves, and which roles require a second factor."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Preferences(models.Model):
    """The choices of one person. Whoever has chosen nothing has no row."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="preferences",
    )
    time_zone = models.CharField(max_length=64, blank=True, default="", db_default="")
    """A name such as Asia/Kathmandu; empty: the zone of the installation."""
    language = models.CharField(max_length=16, blank=True, default="", db_default="")
    """Of the first page after a sign-in; empty: as the browser asks."""

    quiet_notices = models.CharField(max_length=500, blank=True, default="", db_default="")
    """The kinds of notices that do not come, with blanks between (`core.notices`)."""

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"preferences of user {self.user_id}"


class FactorRule(models.Model):
    """A role whose holders must use a second factor, beside those of SECOND_FACTOR_ROLES."""

    group = models.OneToOneField(
        "auth.Group", on_delete=models.CASCADE, primary_key=True, related_name="factor_rule"
    )
    set_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        default_permissions = ()
        permissions = (("require_factor", "Can set which roles require a second factor"),)

    def __str__(self) -> str:
        return f"rule for role {self.group_id}"
