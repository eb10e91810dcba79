"""The page on which people choose their time zone, their language and their notices."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import get_language, override, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic import FormView
from unfold.sites import UnfoldAdminSite

from core import notices
from core.acts import record_act
from core.admin.pages import Page, current_user
from core.people import NAME_FIELDS, clean_name
from core.times import full_time
from providers import clock

from ..localization.languages import set_language_cookie
from ..localization.time_zones import LONGEST, find_zone, offered_zones
from ..models import Preferences
from ..sign_in.confirmation import confirm_url_if_due
from .notice_choices import off_kinds, quiet_text

ZONES_ID = "zones"
PROFILE = (*NAME_FIELDS, "email")
"""Fields of the person, which colleagues see."""
NOT_CONFIRMED = _("No change: confirm who you are in a new tab, then save again here.")
"""An address may connect an account with an identity provider."""


class SettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    """A person's own name, address, time zone and language."""

    class Meta:
        model = User
        fields = PROFILE

    field_order = (*PROFILE, "language", "time_zone")
    time_zone = forms.CharField(
        label=pgettext_lazy("field", "Time zone"),
        required=False,
        max_length=LONGEST,
        widget=forms.TextInput(
            attrs={
                "list": ZONES_ID,
                "autocomplete": "off",
                "spellcheck": "false",
                "translate": "no",
                "placeholder": settings.TIME_ZONE,
            }
        ),
        help_text=_("Type a city to search. Empty: the time zone of the portal."),
    )
    language = forms.ChoiceField(label=pgettext_lazy("title", "Language"))
    notices = forms.MultipleChoiceField(
        label=pgettext_lazy("title", "Notifications"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, confirm_url: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.confirm_url = confirm_url
        told = self.fields["notices"]
        if isinstance(told, forms.MultipleChoiceField):
            told.choices = [(kind.key, kind.label) for kind in notices.switchable_kinds()]
        language = self.fields["language"]
        if isinstance(language, forms.ChoiceField):
            language.choices = settings.LANGUAGES

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        clean_name(self, cleaned)
        return cleaned

    def clean_email(self) -> str:
        if self.confirm_url and "email" in self.changed_data:
            raise forms.ValidationError(NOT_CONFIRMED)
        return str(self.cleaned_data["email"])

    def clean_time_zone(self) -> str:
        typed = str(self.cleaned_data["time_zone"]).strip()
        name = find_zone(typed) if typed else ""
        if name is None:
            raise forms.ValidationError(_("There is no such time zone. Choose one from the list."))
        return name


class MySettingsPage(Page, FormView):  # type: ignore[type-arg]
    title = pgettext_lazy("title", "My settings")
    template_name = "portal/my_settings.html"
    form_class = SettingsForm

    @cached_property
    def confirm_url(self) -> str:
        """Where to confirm who one is before the e-mail address changes; "" if that was done."""
        return confirm_url_if_due(self.request)

    def get_form_kwargs(self) -> dict[str, Any]:
        # A copy, so that the frame goes on showing the name that is stored.
        person = User.objects.get(pk=current_user(self.request).pk)
        return {**super().get_form_kwargs(), "instance": person, "confirm_url": self.confirm_url}

    def get_initial(self) -> dict[str, Any]:
        person = current_user(self.request)
        chosen = Preferences.objects.filter(pk=person.pk).first()
        off = off_kinds(person.pk)
        return {
            "time_zone": chosen.time_zone if chosen else "",
            "language": get_language(),
            "notices": [one.key for one in notices.switchable_kinds() if one.key not in off],
        }

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        now = clock.now()
        return {
            **super().get_context_data(**kwargs),
            "confirm_url": self.confirm_url,
            "zones": offered_zones(now),
            "zones_id": ZONES_ID,
            "zone": timezone.get_current_timezone_name(),
            "installation_zone": settings.TIME_ZONE,
            "now": full_time(now),
            "security_notices": [one.label for one in notices.kinds() if one.is_security],
        }

    def form_valid(self, form: SettingsForm) -> HttpResponse:
        person = current_user(self.request)
        name, language = form.cleaned_data["time_zone"], form.cleaned_data["language"]
        quiet = quiet_text(form.cleaned_data["notices"])
        chosen = {"time_zone": name, "language": language, "quiet_notices": quiet}
        with transaction.atomic():
            Preferences.objects.update_or_create(pk=person.pk, defaults=chosen)
            if changed := [field for field in form.changed_data if field in PROFILE]:
                form.save()
                record_act("staff.profile", by=person, subject=f"user:{person.pk}", fields=changed)
        with override(language):
            zone = ZoneInfo(name) if name else timezone.get_default_timezone()
            with timezone.override(zone):
                text = pgettext("notice", "Saved. It is now %(time)s.")
                messages.success(self.request, text % {"time": full_time(clock.now())})
        answer = HttpResponseRedirect(reverse("admin:my_settings"))
        set_language_cookie(answer, language)
        return answer


def my_settings_urls(site: UnfoldAdminSite) -> list[URLPattern]:
    return [path("my-settings/", site.admin_view(MySettingsPage.as_view()), name="my_settings")]
