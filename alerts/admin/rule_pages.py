"""The pages that set up a rule."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import FormView, View

from core.admin.buttons import Crumb, Text
from core.admin.pages import Page, current_user
from core.stored_texts import show
from core.times import short_time
from providers import clock

from .. import rule_changes
from ..kinds import BY_KEY, Kind
from ..models import Alarm, Receiver, Rule
from ..permissions import SET_ALERTS
from ..rehearsal import rehearse
from ..rule_changes import MUTE_HOURS
from .forms import RuleForm
from .overview_page import TITLE, chosen_hours

MOST_SHOWN: Final = 10
REHEARSE: Final = "rehearse"
"""The name of the button that tests the typed rule, without saving it."""


def rule_or_404(public_id: str) -> Rule:
    found = Rule.objects.filter(public_id=public_id).first()
    if found is None or found.kind not in BY_KEY:
        raise Http404
    return found


class RuleFormPage(Page, FormView):  # type: ignore[type-arg]
    permission_required = SET_ALERTS
    template_name = "alerts/rule.html"
    form_class = RuleForm

    @property
    def rule(self) -> Rule:
        raise NotImplementedError

    @property
    def kind(self) -> Kind:
        return BY_KEY[self.rule.kind]

    def get_title(self) -> Text:
        return self.kind.title

    def get_trail(self) -> list[Crumb]:
        return [Crumb(TITLE, reverse("admin:alerts")), Crumb(self.get_title())]

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "kind": self.kind, "rule": self.rule}

    def get_form(self, form_class: Any = None) -> Any:
        form = super().get_form(form_class)
        if REHEARSE in self.request.POST:
            form.fields["receivers"].required = False
        return form

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        rule, now = self.rule, clock.now()
        is_muted = rule.muted_until is not None and rule.muted_until > now
        alarms = Alarm.objects.filter(rule=rule.pk or 0, ended_at=None)
        return super().get_context_data(
            rule=rule,
            kind=self.kind,
            has_receivers=Receiver.objects.exists(),
            muted_until=rule.muted_until if is_muted else None,
            mute_hours=MUTE_HOURS,
            lasting=[(show(one.text), one.began_at) for one in alarms[:MOST_SHOWN]],
            **kwargs,
        )

    def form_valid(self, form: RuleForm) -> HttpResponse:
        chosen = list(form.cleaned_data["receivers"])
        if REHEARSE in self.request.POST:
            typed = Rule(kind=self.kind.key, **form.values())
            found = rehearse(self.kind, typed, chosen, clock.now())
            shown = found.spells[:MOST_SHOWN] if found else []
            more = len(found.spells) - len(shown) if found else 0
            context = {"is_rehearsed": True, "rehearsal": found, "spells": shown, "more": more}
            return self.render_to_response(self.get_context_data(form=form, **context))
        rule_changes.save_rule(self.rule, form.values(), chosen, current_user(self.request))
        messages.success(self.request, _("The rule is saved. It is checked every minute."))
        return HttpResponseRedirect(reverse("admin:alerts"))


class AddRulePage(RuleFormPage):
    _new: Rule | None = None

    @property
    def rule(self) -> Rule:
        if self._new is None:
            kind = self.kwargs["kind"]
            if kind not in BY_KEY:
                raise Http404
            self._new = Rule(kind=kind)
        return self._new


class RulePage(RuleFormPage):
    _found: Rule | None = None

    @property
    def rule(self) -> Rule:
        if self._found is None:
            self._found = rule_or_404(self.kwargs["public_id"])
        return self._found


class RuleAct(Page, View):
    """An act on one rule, posted by a button."""

    permission_required = SET_ALERTS
    http_method_names = ["post"]

    def post(self, request: HttpRequest, public_id: str) -> HttpResponse:
        messages.success(request, self.act(request, rule_or_404(public_id)))
        return HttpResponseRedirect(reverse("admin:alerts"))

    def act(self, request: HttpRequest, rule: Rule) -> str:
        raise NotImplementedError


class SwitchRule(RuleAct):
    def act(self, request: HttpRequest, rule: Rule) -> str:
        if rule_changes.switch(rule, current_user(request)):
            return _("The rule is on.")
        return _("The rule is off.")


class MuteRule(RuleAct):
    def act(self, request: HttpRequest, rule: Rule) -> str:
        until = rule_changes.mute_rule(rule, chosen_hours(request), current_user(request))
        if until is None:
            return _("The rule is no longer muted.")
        return _("This rule is muted until %(time)s.") % {"time": short_time(until)}


class RemoveRule(RuleAct):
    def act(self, request: HttpRequest, rule: Rule) -> str:
        rule_changes.remove_rule(rule, current_user(request))
        return _("The rule was removed. What it sent stays in the log.")
