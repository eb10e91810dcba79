"""The star beside the chosen app and country on the page "Rent a number"."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin.pages import Page, current_user

from .. import favourites
from ..catalogue import renting_accounts
from ..models import Project, Region
from .rent_page import facts_of


class FavouritePage(Page):
    """Keeps or forgets a pair. Nothing is rented, whatever else the form says."""

    permission_required = "rentals.rent_order"
    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> HttpResponse:
        values = {name: request.POST.get(name, "")[:100] for name in FIELDS}
        accounts = {one.public_id: one for one in renting_accounts()}
        account = accounts.get(values["account"])
        if account is None:
            raise Http404
        person, note = current_user(request), ""
        pair = (values["project"], values["region"])
        if request.POST.get("favourite") == "remove":
            favourites.remove(person, account.provider, pair)
        elif not _is_offered(account.provider, pair):
            raise Http404
        elif not favourites.add(person, account.provider, pair):
            note = _("Not added: remove a favourite first.")
        if request.headers.get("HX-Request") == "true":
            facts = facts_of(account, *pair, values["count"], person)
            context = {**facts, "favourite_note": note, "fetched": True}
            return render(request, "rentals/pair.html", context)
        if note:
            messages.warning(request, note)
        return HttpResponseRedirect(f"{reverse('admin:rentals_order_rent')}?{urlencode(values)}")


FIELDS = ("account", "project", "region", "count")


def _is_offered(provider: str, pair: tuple[str, str]) -> bool:
    project, region = pair
    offered = {"provider": provider, "is_offered": True}
    return (
        Project.objects.filter(code=project, **offered).exists()
        and Region.objects.filter(code=region, **offered).exists()
    )
