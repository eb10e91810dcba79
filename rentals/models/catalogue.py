"""The apps and countries that can be rented. No provider offers a list, so staff maintain them."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from core.countries import country_name


class Project(models.Model):
    """An app whose SMS a rented number can receive, by the provider's code."""

    provider = models.CharField(_("provider"), max_length=32)
    code = models.CharField(_("app code"), max_length=64)
    name = models.CharField(_("name"), max_length=64)
    is_offered = models.BooleanField(_("available"), default=True)

    class Meta:
        ordering = ("name",)
        verbose_name = _("app")
        verbose_name_plural = _("apps")
        default_permissions = ("add", "change", "view")
        constraints = [
            models.UniqueConstraint(fields=("provider", "code"), name="one_app_per_code")
        ]

    def __str__(self) -> str:
        return self.name


class Region(models.Model):
    """A country whose numbers can be rented."""

    provider = models.CharField(_("provider"), max_length=32)
    code = models.CharField(
        _("code"),
        max_length=2,
        validators=[RegexValidator(r"\A[A-Z]{2}\Z", _("Two capital letters, such as ID."))],
        help_text=_("Two capital letters (ISO 3166-1); the United Kingdom is GB."),
    )
    remark = models.CharField(_("remark"), max_length=200, blank=True)
    is_offered = models.BooleanField(_("available"), default=True)

    class Meta:
        ordering = ("code",)
        verbose_name = _("country/region")
        verbose_name_plural = _("countries/regions")
        default_permissions = ("add", "change", "view")
        constraints = [
            models.UniqueConstraint(fields=("provider", "code"), name="one_region_per_code")
        ]

    def __str__(self) -> str:
        return country_name(self.code)
