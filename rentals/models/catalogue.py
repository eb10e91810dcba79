"""The apps and countries that can be rented. No provider offers a list, so staff maintain them."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from core.countries import country_name


class Project(models.Model):
    """An app whose SMS a rented number can receive, by the provider's code."""

    provider = models.CharField(pgettext_lazy("field", "provider"), max_length=32)
    code = models.CharField(_("app code"), max_length=64)
    name = models.CharField(pgettext_lazy("field", "name"), max_length=64)
    is_offered = models.BooleanField(pgettext_lazy("field", "available"), default=True)

    class Meta:
        ordering = ("name",)
        verbose_name = pgettext_lazy("model", "app")
        verbose_name_plural = pgettext_lazy("model", "apps")
        default_permissions = ("add", "change", "view")
        constraints = [
            models.UniqueConstraint(fields=("provider", "code"), name="one_app_per_code")
        ]

    def __str__(self) -> str:
        return self.name


class Region(models.Model):
    """A country whose numbers can be rented."""

    provider = models.CharField(pgettext_lazy("field", "provider"), max_length=32)
    code = models.CharField(
        pgettext_lazy("field", "code"),
        max_length=2,
        validators=[RegexValidator(r"\A[A-Z]{2}\Z", _("Two capital letters, such as ID."))],
        help_text=_("Two capital letters (ISO 3166-1); the United Kingdom is GB."),
    )
    remark = models.CharField(pgettext_lazy("field", "remark"), max_length=200, blank=True)
    is_offered = models.BooleanField(pgettext_lazy("field", "available"), default=True)

    class Meta:
        ordering = ("code",)
        verbose_name = pgettext_lazy("model", "country/region")
        verbose_name_plural = pgettext_lazy("model", "countries/regions")
        default_permissions = ("add", "change", "view")
        constraints = [
            models.UniqueConstraint(fields=("provider", "code"), name="one_region_per_code")
        ]

    def __str__(self) -> str:
        return country_name(self.code)
