"""The lists of apps and countries that can be rented.

They start with the values from the providers' documents; staff maintain them afterwards.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext, override

from providers.gateway.client import RentsNumbers
from providers.gateway.registry import clients
from providers.models import Account

from .models import Project, Region


def fill_catalogue(using: str = "default", **_: Any) -> None:
    """Fill the empty lists from the documents. Receiver of `post_migrate`.

    A list that has a row is left alone: staff may have removed the others.
    """
    for key, client in clients().items():
        if not issubclass(client, RentsNumbers):
            continue
        projects = Project.objects.using(using)
        if not projects.filter(provider=key).exists():
            projects.bulk_create(
                Project(provider=key, code=offer.code, name=offer.name)
                for offer in client.documented_projects
            )
        regions = Region.objects.using(using)
        with override("en"):
            if not regions.filter(provider=key).exists():
                regions.bulk_create(
                    Region(provider=key, code=offer.code, remark=str(offer.remark))
                    for offer in client.documented_regions
                )


def known_remark(region: Region) -> str | None:
    """The remark in the reader's language if it is one of the provider's document, else None.

    What staff wrote themselves is shown as they wrote it, whatever words it happens to consist of.
    """
    client = clients().get(region.provider)
    if client is None or not issubclass(client, RentsNumbers):
        return None
    known = {str(offer.remark) for offer in client.documented_regions if offer.remark}
    return gettext(region.remark) if region.remark in known else None


def rents_numbers(account: Account) -> bool:
    client = account.client
    return client is not None and issubclass(client, RentsNumbers)


def renting_accounts() -> list[Account]:
    found = list(Account.objects.prefetch_related("credentials"))
    return sorted(filter(rents_numbers, found), key=lambda account: account.name.lower())


def project_names(provider: str = "") -> dict[str, str]:
    """Names of the apps by code. The code replaces the name of an app that staff no longer list."""
    rows = Project.objects.filter(provider=provider) if provider else Project.objects.all()
    return dict(rows.values_list("code", "name"))


def renting_providers() -> list[tuple[str, str]]:
    """Key and name of each provider that rents numbers."""
    return [
        (key, client.name) for key, client in clients().items() if issubclass(client, RentsNumbers)
    ]
