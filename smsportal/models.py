"""What people have chosen for themselves."""

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
