"""The form "Rent a number"."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanWidget,
)

from core.countries import country_name
from core.punctuation import in_brackets, with_detail
from providers.admin.account_picker import AccountSelect, ChosenAccount
from providers.models import Account

from ..catalogue import known_remark
from ..models import Project, Region
from ..place_orders import MAX_AT_ONCE, RentRequest

WAIT, CANCEL = "wait", "cancel"
MAX_WAIT = 60
"""Minutes."""


class WholeNumber(forms.IntegerField):
    """From 1 to `most`. One message says what fits, whatever is wrong."""

    def __init__(self, most: int, **kwargs: Any) -> None:
        text = format_lazy(_("Enter digits only, from 1 to {most}."), most=most)
        super().__init__(
            min_value=1,
            max_value=most,
            widget=UnfoldAdminIntegerFieldWidget({"min": 1, "max": most}),
            error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), text),
            **kwargs,
        )

    def prepare_value(self, value: Any) -> Any:
        # A browser empties a field for numbers that holds digits of another script.
        is_count = isinstance(value, str) and value.isdecimal() and len(value) < 10
        return str(int(value)) if is_count and not value.isascii() else value


def unavailable_reason(account: Account) -> str:
    return pgettext("state", "paused") if account.is_paused else ""


class RentForm(forms.Form):
    """Requests numbers. `rent_request` is the result of a valid form."""

    account = ChosenAccount(label=pgettext_lazy("field", "Account"))
    project = forms.ChoiceField(
        label=pgettext_lazy("field", "App"), error_messages={"required": _("Choose an app.")}
    )
    region = forms.ChoiceField(
        label=pgettext_lazy("field", "Country/region"),
        error_messages={"required": _("Choose a country/region.")},
    )
    count = WholeNumber(MAX_AT_ONCE, label=pgettext_lazy("field", "Quantity"), initial=1)
    without_sms = forms.ChoiceField(
        label=_("If no SMS arrives"),
        choices=[(WAIT, _("wait until the order expires")), (CANCEL, _("cancel automatically"))],
        initial=WAIT,
        widget=UnfoldAdminRadioSelectWidget,
    )
    cancel_after = WholeNumber(
        MAX_WAIT, label=_("Cancel after (minutes)"), initial=5, required=False
    )
    try_on = forms.BooleanField(
        label=_("Keep trying if no number is available"), required=False, widget=UnfoldBooleanWidget
    )
    keep_trying = WholeNumber(
        MAX_WAIT, label=_("Keep trying for (minutes)"), initial=10, required=False
    )
    form_token = forms.CharField(widget=forms.HiddenInput, max_length=64)
    confirmed = forms.CharField(widget=forms.HiddenInput, required=False, max_length=200)
    ask = forms.BooleanField(required=False)
    """The page said that a second person must agree, and the button asks for that."""
    why = forms.CharField(
        label=pgettext_lazy("field", "Reason"),
        required=False,
        max_length=200,
        widget=forms.Textarea({"rows": 2, "maxlength": 200}),
        help_text=_("The person who decides reads this."),
    )

    def __init__(
        self, *args: Any, account: Account, accounts: Iterable[Account], **kwargs: Any
    ) -> None:
        super().__init__(*args, **{"label_suffix": "", **kwargs})
        self.renting_account = account
        chosen = self._field("account")
        chosen.widget = AccountSelect(accounts, unavailable_reason)
        chosen.choices = [(one.public_id, one.name) for one in accounts]
        project, region = self._field("project"), self._field("region")
        project.widget, region.widget = UnfoldAdminSelectWidget(), UnfoldAdminSelectWidget()
        # Nothing that costs money is chosen before the person chooses it.
        project.choices = [("", _("Choose an app")), *projects_of(account)]
        region.choices = [("", _("Choose a country/region")), *regions_of(account)]

    def _field(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        if not isinstance(field, forms.ChoiceField):
            raise TypeError(name)
        return field

    def clean_account(self) -> str:
        if self.renting_account.is_paused:
            raise forms.ValidationError(_("This account is paused. Choose another one."))
        chosen: str = self.cleaned_data["account"]
        return chosen

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        missing = _("Enter the number of minutes.")
        if values.get("without_sms") == CANCEL and not values.get("cancel_after"):
            self.add_error("cancel_after", missing)
        if values.get("try_on") and not values.get("keep_trying"):
            self.add_error("keep_trying", missing)
        return values

    @property
    def rent_request(self) -> RentRequest:
        values = self.cleaned_data
        return RentRequest(
            account=self.renting_account,
            project=values["project"],
            region=values["region"],
            count=values["count"],
            keep_trying=values["keep_trying"] if values["try_on"] else None,
            cancel_after=values["cancel_after"] if values["without_sms"] == CANCEL else None,
        )

    @property
    def asked_because(self) -> str | None:
        """The reason for requesting approval; None if the page has not offered that."""
        values = self.cleaned_data
        return values.get("why", "").strip() if values.get("ask") else None

    @property
    def confirmation_key(self) -> str:
        """Identifies the request that was confirmed; any other request needs a new confirmation."""
        request = self.rent_request
        return f"{request.account.public_id}:{request.project}:{request.region}:{request.count}"

    @property
    def needs_confirmation(self) -> bool:
        """A request for approval orders nothing, so it needs none."""
        if self.rent_request.count == 1 or self.asked_because is not None:
            return False
        return bool(self.cleaned_data["confirmed"] != self.confirmation_key)


def projects_of(account: Account) -> list[tuple[str, str]]:
    rows = Project.objects.filter(provider=account.provider, is_offered=True)
    return [(row.code, row.name) for row in rows]


def regions_of(account: Account) -> list[tuple[str, str]]:
    rows = Region.objects.filter(provider=account.provider, is_offered=True)
    named = [(row.code, _named(row)) for row in rows]
    return sorted(named, key=lambda pair: pair[1])


def _named(region: Region) -> str:
    """Name, code and remark."""
    name = in_brackets(country_name(region.code), region.code)
    return with_detail(name, known_remark(region) or region.remark) if region.remark else name
