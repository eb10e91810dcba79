"""The forms of rules, receivers and the ping. A stored address never comes back into a form."""

from __future__ import annotations

import zoneinfo
from functools import lru_cache
from typing import Any, Final

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from core.names import GivenName
from core.secrets import Secret
from providers.models import Account

from ..kinds import Kind, Threshold
from ..models import Receiver, Rule
from ..presentation.error_texts import target_text
from ..targets import LONGEST, ForbiddenTarget, Target, check_ping, check_target, policy_of

MOST_MINUTES: Final = 7 * 24 * 60


class PortalForm(forms.Form):
    """`own`: what the fields show before anybody has typed."""

    def __init__(self, *args: Any, own: dict[str, Any] | None = None, **kwargs: Any) -> None:
        initial = {**(own or {}), **(kwargs.get("initial") or {})}
        super().__init__(*args, **{"label_suffix": "", **kwargs, "initial": initial})


def _time(label: Any, help_text: Any = "") -> forms.TimeField:
    widget = UnfoldAdminTextInputWidget({"type": "time"})
    return forms.TimeField(label=label, required=False, widget=widget, help_text=help_text)


def _minutes(label: Any, low: int, help_text: Any) -> forms.IntegerField:
    return forms.IntegerField(
        label=label,
        min_value=low,
        max_value=MOST_MINUTES,
        help_text=help_text,
        widget=UnfoldAdminIntegerFieldWidget(),
    )


class RuleForm(PortalForm):
    account = forms.ModelChoiceField(
        label=pgettext_lazy("field", "Account"),
        queryset=Account.objects.order_by("name"),
        required=False,
        empty_label=pgettext_lazy("alerts", "any account"),
        widget=UnfoldAdminSelectWidget(),
    )
    receivers = forms.ModelMultipleChoiceField(
        label=pgettext_lazy("alerts", "Receivers"),
        queryset=Receiver.objects.all(),
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("Choose at least one receiver.")},
    )
    quiet_from = _time(gettext_lazy("Quiet from"))
    quiet_until = _time(
        gettext_lazy("Quiet until"),
        gettext_lazy(
            "In the receiver's time zone; may span midnight. Anything still wrong afterwards is"
            " sent then."
        ),
    )
    every_minutes = _minutes(
        gettext_lazy("At most one message every (minutes)"),
        1,
        gettext_lazy("What happens in between is sent together, in one message with its count."),
    )
    repeat_minutes = _minutes(
        gettext_lazy("Repeat while it lasts, every (minutes)"),
        0,
        gettext_lazy("0: never."),
    )
    tells_end = forms.BooleanField(
        label=gettext_lazy("Also report when it ends"),
        required=False,
        widget=UnfoldBooleanWidget(),
    )

    def __init__(self, *args: Any, kind: Kind, rule: Rule, **kwargs: Any) -> None:
        super().__init__(*args, own=_initial(kind, rule), **kwargs)
        self.kind, self.rule = kind, rule
        order = []
        for name in ("limit", "least"):
            threshold = getattr(kind, name)
            if threshold is not None:
                self.fields[name] = _threshold(threshold)
                order.append(name)
        if not kind.by_account:
            del self.fields["account"]
        if kind.is_event:
            for name in ("tells_end", "repeat_minutes"):
                del self.fields[name]
        self.order_fields(order)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        both = cleaned.get("quiet_from"), cleaned.get("quiet_until")
        if not self.errors and (both[0] is None) != (both[1] is None):
            missing = "quiet_from" if both[0] is None else "quiet_until"
            self.add_error(missing, _("Enter both times, or none."))
        elif both[0] is not None and both[0] == both[1]:
            self.add_error("quiet_until", _("Enter another time: both are the same."))
        return cleaned

    def values(self) -> dict[str, Any]:
        """The columns of the rule."""
        return {name: value for name, value in self.cleaned_data.items() if name != "receivers"}


def _initial(kind: Kind, rule: Rule) -> dict[str, Any]:
    if rule.pk is not None:
        names = ("limit", "least", "account", "every_minutes", "repeat_minutes", "tells_end")
        stored = {name: getattr(rule, name) for name in names}
        quiet = {
            name: value.strftime("%H:%M")
            for name in ("quiet_from", "quiet_until")
            if (value := getattr(rule, name)) is not None
        }
        return {**stored, **quiet, "receivers": list(rule.receivers.all())}
    proposed = {
        name: threshold.default
        for name in ("limit", "least")
        if (threshold := getattr(kind, name)) is not None
    }
    return {**proposed, "every_minutes": 10, "repeat_minutes": 0, "tells_end": True}


def _threshold(threshold: Threshold) -> forms.IntegerField:
    label: Any = threshold.label
    help_text: Any = threshold.help
    return forms.IntegerField(
        label=label,
        min_value=threshold.low,
        max_value=threshold.high,
        help_text=help_text,
        widget=UnfoldAdminIntegerFieldWidget(),
    )


class AddressField(forms.CharField):
    """An address with secrets. It becomes a `Secret` and is never rendered again."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.PasswordInput(
            attrs={
                "autocomplete": "new-password",
                "spellcheck": "false",
                "dir": "ltr",
                "class": "in",
                "maxlength": LONGEST,
            },
            render_value=False,
        )
        super().__init__(max_length=LONGEST, widget=widget, **kwargs)


def _policy() -> Any:
    return policy_of(allow_private=settings.ALLOW_PRIVATE_ALERTS)


@lru_cache(maxsize=1)
def _zones() -> list[tuple[str, str]]:
    names = sorted(name for name in zoneinfo.available_timezones() if "/" in name)
    old = ("Etc/", "SystemV/", "US/", "Brazil/", "Canada/", "Chile/", "Mexico/")
    return [("UTC", "UTC"), *((name, name) for name in names if not name.startswith(old))]


class ReceiverForm(PortalForm):
    name = GivenName(
        label=pgettext_lazy("field", "Name"),
        max_length=60,
        widget=UnfoldAdminTextInputWidget({"autocomplete": "off", "dir": "auto"}),
        help_text=gettext_lazy("Such as “DingTalk: duty”. It does not appear in messages."),
    )
    url = AddressField(
        label=pgettext_lazy("alerts", "Address"),
        help_text=gettext_lazy("Written as in the list of services. It is stored encrypted."),
    )
    language = forms.ChoiceField(
        label=pgettext_lazy("title", "Language"),
        choices=lambda: settings.LANGUAGES,
        widget=UnfoldAdminSelectWidget(),
    )
    time_zone = forms.ChoiceField(
        label=pgettext_lazy("field", "Time zone"),
        choices=lambda: [("", settings.TIME_ZONE), *_zones()],
        required=False,
        widget=UnfoldAdminSelectWidget(attrs={"translate": "no"}),
        help_text=gettext_lazy("For quiet hours and for the times in messages."),
    )
    is_on = forms.BooleanField(
        label=gettext_lazy("Gets alerts"), required=False, widget=UnfoldBooleanWidget()
    )

    def __init__(self, *args: Any, receiver: Receiver, **kwargs: Any) -> None:
        super().__init__(*args, own=_of_receiver(receiver), **kwargs)
        self.receiver = receiver
        self.target: Target | None = None
        if receiver.pk is not None:
            self.fields["url"].required = False
            self.fields["url"].help_text = _("Empty: %(shown)s stays.") % {"shown": receiver.shown}

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if Receiver.objects.exclude(pk=self.receiver.pk).filter(name=name).exists():
            raise forms.ValidationError(_("Another receiver has this name."))
        return name

    def clean_url(self) -> Secret:
        typed = str(self.cleaned_data["url"]).strip()
        if typed:
            try:
                self.target = check_target(typed, _policy())
            except ForbiddenTarget as forbidden:
                raise _refused(forbidden) from None
        return Secret(typed)

    def values(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name != "url"}


def _of_receiver(receiver: Receiver) -> dict[str, Any]:
    if receiver.pk is None:
        own = timezone.get_current_timezone_name()
        return {
            "language": settings.LANGUAGE_CODE,
            "time_zone": "" if own == settings.TIME_ZONE else own,
            "is_on": True,
        }
    return {name: getattr(receiver, name) for name in ("name", "language", "time_zone", "is_on")}


class PingForm(PortalForm):
    url = AddressField(
        label=pgettext_lazy("alerts", "Address"),
        required=False,
        help_text=gettext_lazy(
            "Of a service that raises the alarm when the pings stop. Empty: no ping."
        ),
    )
    target: Target | None = None

    def clean_url(self) -> Secret:
        typed = str(self.cleaned_data["url"]).strip()
        if typed:
            try:
                self.target = check_ping(typed, _policy())
            except ForbiddenTarget as forbidden:
                raise _refused(forbidden) from None
        return Secret(typed)


def _refused(forbidden: ForbiddenTarget) -> forms.ValidationError:
    return forms.ValidationError(target_text(forbidden.reason, forbidden.detail))
