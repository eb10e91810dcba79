"""The page "Rent a number", and its part that follows the chosen app and country."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.generic import FormView

from core.admin.pages import current_user, fragment, new_form_token
from core.countries import country_name
from core.templatetags.portal import amount
from core.times import full_time
from providers.admin.account_picker import AccountFormPage, pause_context, pick_account
from providers.approvals.rules import ApprovalNeeded
from providers.daily_limits import LimitReached
from providers.engine.leases import is_engine_alive
from providers.limit_texts import concerns_recipient, limit_text
from providers.models import Account
from providers.presentation.approval_texts import PassedLine, passed_lines
from providers.presentation.cost_texts import rest_after

from .. import place_orders, success_rates
from ..catalogue import project_names, renting_accounts
from ..favourites import favourites_of
from ..models import Order
from .rent_form import RentForm, unavailable_reason

if TYPE_CHECKING:
    RentFormView = FormView[RentForm]
else:
    RentFormView = FormView

SESSION_KEY = "rent"


def chosen_account(request: HttpRequest, accounts: list[Account]) -> Account | None:
    remembered = request.session.get(SESSION_KEY, {}).get("account")
    return pick_account(request, accounts, remembered, unavailable_reason)


class RentPage(AccountFormPage[Order], RentFormView):
    title = _("Rent a number")
    permission_required = "rentals.rent_order"
    template_name = "rentals/rent.html"
    form_class = RentForm
    no_account_template = "rentals/no_account.html"
    http_method_names = ["get", "post"]

    def find_accounts(self) -> list[Account]:
        return renting_accounts()

    def choose_account(self, accounts: list[Account]) -> Account | None:
        return chosen_account(self.request, accounts)

    def get_initial(self) -> dict[str, Any]:
        query = {name: self.request.GET[name] for name in QUERY_FIELDS if name in self.request.GET}
        account = self.account.public_id if self.account else ""
        # Nothing that costs is chosen beforehand; the last pairs and the favourites are one click.
        return {
            **query,
            "account": account,
            "count": query.get("count", 1),
            "form_token": new_form_token(),
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        form: RentForm = context["form"]
        bound = form.is_bound and form.is_valid()
        passed = self._passed(form) if form.is_bound else []
        return {
            **context,
            **pair_facts(self.request, form),
            "asleep": not is_engine_alive(),
            **pause_context(self.account, self.accounts, unavailable_reason),
            "confirm": form.confirmation_key
            if bound and form.needs_confirmation and not passed
            else "",
            "passed": passed,
        }

    def _passed(self, form: RentForm) -> list[PassedLine]:
        """The limits that the orders would pass, as far as they can be read."""
        if set(form.fields) - set(form.cleaned_data):
            return []
        by = current_user(self.request)
        return passed_lines(place_orders.limits_passed_by(form.rent_request, by))

    def form_valid(self, form: RentForm) -> HttpResponse:
        by, token = current_user(self.request), form.cleaned_data["form_token"]
        earlier = place_orders.orders_of_form(token, by)
        if form.needs_confirmation and not earlier:
            return self.render_to_response(self.get_context_data(form=form))
        if not earlier and not self._may_ask(form, by):
            return self.render_to_response(self.get_context_data(form=form))
        try:
            placed, made = (
                (earlier, False)
                if earlier
                else place_orders.place(
                    form.rent_request, by=by, form_token=token, why=form.asked_because
                )
            )
        except ApprovalNeeded:
            # The page says which limit is passed, and offers to request approval.
            return self.render_to_response(self.get_context_data(form=form))
        except LimitReached as limit:
            form.add_error("region" if concerns_recipient(limit) else None, limit_text(limit))
            return self.render_to_response(self.get_context_data(form=form))
        self._remember(form)
        if made and placed[0].approval is not None:
            text = _("Approval requested. It is ordered once a second person has agreed.")
            messages.success(self.request, text)
        if not made:
            text = _(
                "This form was already submitted at %(time)s. Showing its orders;"
                " nothing was ordered twice."
            )
            messages.warning(self.request, text % {"time": full_time(placed[0].created_at)})
        return HttpResponseRedirect(self._redirect_url(placed))

    def _may_ask(self, form: RentForm, by: User) -> bool:
        """Whether the form can be placed as it says; otherwise it has an error."""
        if form.asked_because is None:
            return True
        if not place_orders.limits_passed_by(form.rent_request, by):
            form.add_error(None, _("Approval is no longer needed. Nothing was ordered yet."))
        elif not form.asked_because:
            form.add_error("why", _("Say why. The person who decides reads this."))
        return form.is_valid()

    def _redirect_url(self, placed: list[Order]) -> str:
        if len(placed) > 1:
            return f"{reverse('admin:rentals_order_board')}?scope=mine"
        return reverse("admin:rentals_order_change", args=[placed[0].public_id])

    def _remember(self, form: RentForm) -> None:
        self.request.session[SESSION_KEY] = {"account": form.cleaned_data["account"]}


QUERY_FIELDS = ("project", "region", "count")


def pair_facts(request: HttpRequest, form: RentForm) -> dict[str, Any]:
    """Price and success figures of the chosen app and country."""
    account = form.renting_account
    values = form.data if form.is_bound else form.initial
    projects = [code for code, _name in form.fields["project"].choices]  # type: ignore[attr-defined]
    regions = [code for code, _name in form.fields["region"].choices]  # type: ignore[attr-defined]
    return facts_of(
        account,
        _offered(values.get("project"), projects),
        _offered(values.get("region"), regions),
        str(values.get("count", "1")),
        current_user(request),
    )


def _offered(value: object, choices: list[str]) -> str:
    return str(value) if value in choices else ""


def facts_of(
    account: Account, project: str, region: str, count_text: str, person: User
) -> dict[str, Any]:
    # In any script's digits, as the form reads them.
    count = int(count_text) if count_text.isdecimal() and len(count_text) < 4 else 1
    count = min(max(count, 1), place_orders.MAX_AT_ONCE)
    pair = success_rates.pair_stats(account, project, region)
    total = pair.total_price(count)
    names = project_names(account.provider)
    favourites = favourites_of(person, account.provider)
    recent = [one for one in success_rates.recent_pairs(person) if one not in favourites]
    words = ngettext("Rent %(count)d number", "Rent %(count)d numbers", count)
    return {
        "pair": pair if project and region else None,
        "count": count,
        "total_price": total,
        "rest": rest_after(account, total, pair.price, _numbers_left)
        if total and pair.price
        else "",
        "button": words % {"count": count},
        "app": names.get(project, project),
        "country": country_name(region),
        "above": above_cap(account, pair.price) if project and region else "",
        "account": account,
        "favourites": [_shown_pair(one, names) for one in favourites],
        "recent": [_shown_pair(one, names) for one in recent],
        "is_favourite": (project, region) in favourites,
    }


def _numbers_left(left: int) -> str:
    text = ngettext(
        "after this about %(n)s number left", "after this about %(n)s numbers left", left
    )
    return text % {"n": f"{left:,}"}


def _shown_pair(pair: tuple[str, str], names: dict[str, str]) -> dict[str, str]:
    project, region = pair
    name, country = names.get(project, project), country_name(region)
    return {"project": project, "region": region, "name": name, "country": country}


def above_cap(account: Account, price: Decimal | None) -> str:
    """The warning if the last price is higher than staff want to pay with this account."""
    if price is None or account.highest_price is None or price <= account.highest_price:
        return ""
    text = _("The last price, %(price)s, is above the %(most)s that this account should pay.")
    return str(text) % {"price": amount(price), "most": amount(account.highest_price)}


@fragment("rentals.rent_order")
def pair_fragment(request: HttpRequest) -> HttpResponse:
    account = chosen_account(request, renting_accounts())
    if account is None:
        raise Http404
    query = {name: request.GET.get(name, "")[:100] for name in QUERY_FIELDS}
    facts = facts_of(
        account, query["project"], query["region"], query["count"], current_user(request)
    )
    return render(request, "rentals/pair.html", {**facts, "fetched": True})
