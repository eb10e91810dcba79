"""The page of how long each kind of data is kept: a rule is previewed, and then confirmed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy
from django.views.generic import TemplateView
from unfold.widgets import UnfoldAdminTextInputWidget

from core.admin.buttons import Crumb
from core.admin.pages import Page, current_user
from core.retention import Kind, find, kinds

from .. import rules
from ..models import RetentionRule
from .pages import TITLE

FOR_EVER: Final = gettext_lazy("For ever")


@dataclass(frozen=True, slots=True)
class KindLine:
    """One kind of data as the page shows it."""

    kind: Kind
    days: int | None
    rule: RetentionRule | None
    """None: the default applies."""
    form: DaysForm

    @property
    def kept(self) -> str:
        return days_text(self.days)

    @property
    def proposed(self) -> str:
        return days_text(self.kind.proposed) if self.kind.proposed else ""


def days_text(days: int | None) -> str:
    if days is None:
        return str(FOR_EVER)
    return ngettext("%(days)s day", "%(days)s days", days) % {"days": f"{days:,}"}


class DaysForm(forms.Form):
    """Days for one kind. Nothing typed: for ever."""

    days = forms.IntegerField(
        label=pgettext_lazy("field", "Days"),
        required=False,
        widget=UnfoldAdminTextInputWidget({"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"invalid": gettext_lazy("Enter the number of days in digits.")},
    )

    def __init__(self, *args: Any, kind: Kind, **kwargs: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", "prefix": kind.key, **kwargs})
        self._kind = kind

    def clean_days(self) -> int | None:
        days: int | None = self.cleaned_data["days"]
        least, most = self._kind.least, self._kind.most
        if days is not None and not least <= days <= most:
            text: str | Promise = _("Enter %(least)s to %(most)s days, or nothing for ever.")
            raise forms.ValidationError(str(text) % {"least": least, "most": f"{most:,}"})
        return days


class RetentionPage(Page, TemplateView):
    title = gettext_lazy("How long data is kept")
    permission_required = "privacy.set_retention"
    template_name = "privacy/retention.html"
    http_method_names = ["get", "post"]

    def get_trail(self) -> list[Crumb]:
        return [Crumb(TITLE, reverse("admin:privacy")), Crumb(self.get_title())]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        tried: DaysForm | None = kwargs.pop("tried", None)
        found = {rule.kind: rule for rule in RetentionRule.objects.select_related("confirmed_by")}
        lines = [_line(kind, found.get(kind.key), tried) for kind in kinds()]
        return super().get_context_data(lines=lines, most=f"{rules.MOST_COUNTED:,}", **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if signature := request.POST.get("confirm", ""):
            return self._confirm(request, signature)
        kind = find(request.POST.get("kind", ""))
        if kind is None:
            raise Http404
        form = DaysForm(request.POST, kind=kind)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(tried=form))
        shown = rules.preview(kind, form.cleaned_data["days"])
        kept = days_text(shown.days)
        context = self.get_context_data(tried=form, preview=shown, preview_days=kept)
        return self.render_to_response(context)

    def _confirm(self, request: HttpRequest, signature: str) -> HttpResponse:
        try:
            rule = rules.confirm(signature, current_user(request))
        except rules.PreviewOutdated:
            messages.warning(
                request,
                _("No change: the preview is too old, or the rule has changed. Look again."),
            )
        else:
            kind = find(rule.kind)
            text = _("%(kind)s: the rule applies from the next night on.")
            messages.success(request, text % {"kind": kind.title if kind else rule.kind})
        return HttpResponseRedirect(reverse("admin:privacy_retention"))


def _line(kind: Kind, rule: RetentionRule | None, tried: DaysForm | None) -> KindLine:
    days = rule.days if rule else kind.default()
    form = DaysForm(kind=kind, initial={"days": days})
    if tried is not None and tried.prefix == kind.key:
        form = tried
    return KindLine(kind, days, rule, form)
