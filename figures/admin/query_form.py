"""What the page of figures shows: the subject, the cut, the period and the filters."""

from __future__ import annotations

from contextlib import suppress
from datetime import date, timedelta
from typing import Any, Final

from django import forms
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from core.countries import country_name
from core.people import person_name
from providers.models import Account

from ..cuts import By, Period
from ..models import Figure
from ..presentation.words import SUBJECTS
from ..summaries import Subject

MOST_DAYS: Final = 400
EARLIEST, LATEST = 2000, 2200
"""Years."""
MOST_DAYS_BY_HOUR: Final = 7
DEFAULT_DAYS: Final = 7
PERMISSIONS: Final = {
    Subject.MESSAGES: "messaging.view_message",
    Subject.CODES: "otp.view_session",
    Subject.NUMBERS: "rentals.view_order",
}
SPLITS: Final = {
    "": pgettext_lazy("figures", "nothing"),
    By.ACCOUNT: pgettext_lazy("figures", "account"),
    By.KIND: pgettext_lazy("figures", "kind"),
    By.COUNTRY: pgettext_lazy("figures", "country/region"),
    By.PERSON: pgettext_lazy("figures", "person"),
    By.BATCH: pgettext_lazy("figures", "batch"),
    By.STATE: pgettext_lazy("figures", "state"),
    By.REASON: pgettext_lazy("figures", "reason"),
}
COMPARED: Final = {
    "": pgettext_lazy("figures", "nothing"),
    "before": _("the days before"),
    "weeks": _("the same weekdays before"),
}


class DayField(forms.DateField):
    def __init__(self, label: Any) -> None:
        super().__init__(
            label=label,
            required=False,
            widget=UnfoldAdminTextInputWidget({"type": "date"}),
            error_messages={"invalid": _("Enter a date.")},
        )

    def clean(self, value: Any) -> date | None:
        """Near the ends of the calendar, a time zone and a comparison would overflow."""
        day: date | None = super().clean(value)
        if day is not None and not EARLIEST <= day.year <= LATEST:
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid")
        return day


class QueryForm(forms.Form):
    """Every field has a default, so an address without a query shows something sensible."""

    subject = forms.ChoiceField(label=pgettext_lazy("figures", "Show"), required=False)
    by = forms.ChoiceField(
        label=pgettext_lazy("figures", "by"),
        required=False,
        choices=[
            (By.DAY, pgettext_lazy("figures", "day")),
            (By.HOUR, pgettext_lazy("figures", "hour")),
        ],
        widget=UnfoldAdminSelectWidget(),
    )
    split = forms.ChoiceField(
        label=_("split by"),
        required=False,
        choices=list(SPLITS.items()),
        widget=UnfoldAdminSelectWidget(),
    )
    first = DayField(pgettext_lazy("figures", "From"))
    last = DayField(pgettext_lazy("figures", "To"))
    compare = forms.ChoiceField(
        label=_("Compare with"),
        required=False,
        choices=list(COMPARED.items()),
        widget=UnfoldAdminSelectWidget(),
    )
    account = forms.ModelChoiceField(
        label=pgettext_lazy("field", "Account"),
        queryset=Account.objects.all(),
        required=False,
        empty_label=pgettext_lazy("choice", "all"),
        widget=UnfoldAdminSelectWidget(),
    )
    person = forms.ModelChoiceField(
        label=pgettext_lazy("field", "Person"),
        queryset=User.objects.order_by("username"),
        required=False,
        empty_label=pgettext_lazy("choice", "all"),
        widget=UnfoldAdminSelectWidget(),
    )
    country = forms.ChoiceField(
        label=pgettext_lazy("field", "Country/region"),
        required=False,
        widget=UnfoldAdminSelectWidget(),
    )
    kind = forms.ChoiceField(
        label=pgettext_lazy("field", "Kind"), required=False, widget=UnfoldAdminSelectWidget()
    )

    error_css_class = "has-error"

    def __init__(self, data: Any, reader: User | AnonymousUser) -> None:
        super().__init__(_with_days(data))
        allowed = [(one, SUBJECTS[one]) for one in Subject if reader.has_perm(PERMISSIONS[one])]
        self.subjects = [one for one, _word in allowed]
        subject: Any = self.fields["subject"]
        subject.choices, subject.widget = allowed, UnfoldAdminSelectWidget(choices=allowed)
        if not reader.has_perm("messaging.view_batch"):
            splits = [pair for pair in SPLITS.items() if pair[0] != By.BATCH]
            self._set_choices("split", splits)
        person: Any = self.fields["person"]
        person.label_from_instance = person_name
        everywhere = pgettext("choice", "all")
        self._set_choices("country", [("", everywhere), *_countries()])
        kinds = [(one.value, one.label) for one in (Figure.Kind.TEXT, Figure.Kind.CODE)]
        self._set_choices("kind", [("", everywhere), *kinds])

    def _set_choices(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field: Any = self.fields[name]
        field.choices = choices

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        today = timezone.localdate()
        last = cleaned.get("last") or today
        first = cleaned.get("first") or last - timedelta(days=DEFAULT_DAYS - 1)
        if first > last:
            self.add_error("first", _t("This day is after the last one."))
        elif (last - first).days >= MOST_DAYS:
            self.add_error(
                "first", _t("Choose at most %(days)s days at once.") % {"days": MOST_DAYS}
            )
        elif cleaned.get("by") == By.HOUR and (last - first).days >= MOST_DAYS_BY_HOUR:
            self.add_error(
                "by",
                _t("By hour, choose at most %(days)s days.") % {"days": MOST_DAYS_BY_HOUR},
            )
        cleaned["first"], cleaned["last"] = first, last
        return cleaned

    # --- what was chosen -------------------------------------------------------

    @property
    def subject_(self) -> Subject:
        return Subject(self.cleaned_data["subject"] or self.subjects[0])

    @property
    def by_(self) -> By:
        return By(self.cleaned_data["by"] or By.DAY)

    @property
    def split_(self) -> By | None:
        return By(self.cleaned_data["split"]) if self.cleaned_data["split"] else None

    @property
    def period(self) -> Period:
        return _days(self.cleaned_data["first"], self.cleaned_data["last"])

    @property
    def past(self) -> Period | None:
        """The period compared with: as many days, directly before or whole weeks before."""
        first, last = self.cleaned_data["first"], self.cleaned_data["last"]
        length = (last - first).days + 1
        match self.cleaned_data["compare"]:
            case "before":
                step = length
            case "weeks":
                step = -(-length // 7) * 7
            case _:
                return None
        back = timedelta(days=step)
        return _days(first - back, last - back)

    @property
    def chosen(self) -> dict[By, Any]:
        """The filters, as `figures.presentation.links.rows_url` takes them."""
        values = self.cleaned_data
        found: dict[By, Any] = {}
        if values["account"]:
            found[By.ACCOUNT] = values["account"].pk
        if values["person"]:
            found[By.PERSON] = values["person"].pk
        if values["country"]:
            found[By.COUNTRY] = values["country"]
        if values["kind"] and self.subject_ is Subject.MESSAGES:
            found[By.KIND] = values["kind"]
        return found

    @property
    def where(self) -> Q | None:
        return Q(**{str(by): value for by, value in self.chosen.items()}) if self.chosen else None


def _with_days(data: Any) -> dict[str, Any]:
    """What was asked for, with the last seven days where no day was chosen."""
    values = {name: data.get(name) for name in data}
    if not values.get("last"):
        values["last"] = timezone.localdate().isoformat()
    if not values.get("first"):
        with suppress(ValueError):
            last = date.fromisoformat(values["last"])
            if last.year > 1:
                values["first"] = (last - timedelta(days=DEFAULT_DAYS - 1)).isoformat()
    return values


def _days(first: date, last: date) -> Period:
    return Period.of_days(first, last, timezone.get_current_timezone())


def _countries() -> list[tuple[str, str]]:
    codes = {code for one in Account.objects.all() for code in one.allowed_countries}
    return sorted(((code, country_name(code)) for code in codes), key=lambda pair: pair[1])
