"""The pairs of app and country that a person keeps at hand."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from providers.clock import RowTimeField


class Favourite(models.Model):
    """One pair of one person, for all accounts of a provider."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    provider = models.CharField(max_length=32)
    project = models.CharField(max_length=64)
    region = models.CharField(max_length=2)
    added_at = RowTimeField()

    class Meta:
        ordering = ("added_at", "pk")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=("person", "provider", "project", "region"), name="one_favourite_per_pair"
            )
        ]

    def __str__(self) -> str:
        return f"{self.project} {self.region}"
