"""The page "What waits": what is on hold, and the decisions about it."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from django.views.generic import TemplateView, View

from core.admin.actions import log_export
from core.admin.buttons import Crumb, Text
from core.admin.export_slots import claim_slot
from core.admin.exports import Column, export, export_buttons, requested_format
from core.admin.pages import Page, current_user, fragment
from core.stored_texts import declare

from ..hold.decisions import (
    CannotSend,
    Decided,
    HoldEnded,
    MoreWaits,
    Refused,
    UnknownGroup,
    decide,
    find_group,
    held_groups,
    open_hold,
    settle_known,
)
from ..hold.holdable import HeldGroup
from ..models import Hold
from ..presentation.hold_view import PERMISSION, earlier_holds, hold_context
from .hold_form import DecisionForm

ROWS_SHOWN: Final = 100
TITLE: Final = _("What waits")
LOGGED: Final = declare("hold.exported", _("List exported as %(format)s, with lines: %(count)s"))
REFUSALS: Final[dict[type[Refused], Promise]] = {
    HoldEnded: _("No change: the hold has ended."),
    UnknownGroup: _("No change: your selection is no longer on hold."),
    CannotSend: _("No change: some of it can no longer be sent."),
    MoreWaits: _("No change: more is waiting than you were shown. Review it again."),
}
EXPORTED: Final = (
    Column(TITLE, lambda group: group.title),
    Column(pgettext_lazy("column", "Account"), lambda group: group.account),
    Column(_("To decide"), lambda group: group.undecided),
    Column(pgettext_lazy("column", "Resolved"), lambda group: group.settled),
    Column(_("First queued"), lambda group: group.oldest),
    Column(_("Last queued"), lambda group: group.newest),
    Column(_("What is known"), lambda group: " ".join(map(str, group.facts))),
    Column(pgettext_lazy("column", "Group"), lambda group: group.key),
)


class DecisionPage(Page, TemplateView):
    """Takes decisions: shows what they mean, and carries them out once they are confirmed."""

    title = TITLE
    permission_required = PERMISSION

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        hold = open_hold()
        if hold is None or request.POST.get("hold") != str(hold.pk):
            messages.warning(request, str(REFUSALS[HoldEnded]))
            return HttpResponseRedirect(reverse("admin:hold"))
        form = DecisionForm(request.POST)
        if not form.is_valid():
            return self.render_to_response(self.get_context_data(form=form, **kwargs))
        if "confirmed" not in request.POST:
            return self.review(hold, form)
        try:
            done = decide(
                hold, form.decisions, by=current_user(request), reason=form.cleaned_data["reason"]
            )
        except Refused as refusal:
            messages.warning(request, str(REFUSALS[type(refusal)]))
        else:
            _report(request, done)
        return HttpResponseRedirect(reverse("admin:hold"))

    def review(self, hold: Hold, form: DecisionForm) -> HttpResponse:
        """Ask to confirm, with what each decision means."""
        groups = {group.key: group for group in held_groups(hold)}
        chosen = [
            {
                "group": group,
                "send": decision.send,
                "count": group.undecided if decision.rows is None else len(decision.rows),
                "rows": decision.rows,
            }
            for decision in form.decisions
            if (group := groups.get(decision.group))
        ]
        if not chosen:
            messages.warning(self.request, str(REFUSALS[UnknownGroup]))
            return HttpResponseRedirect(reverse("admin:hold"))
        context = {
            "hold": hold,
            "chosen": chosen,
            "reason": form.cleaned_data["reason"],
            "sends": any(one["send"] for one in chosen),
            "discards": not all(one["send"] for one in chosen),
        }
        page = super().get_context_data(**context)
        return render(self.request, "providers/hold_confirm.html", page)


def _report(request: HttpRequest, done: list[Decided]) -> None:
    for one in done:
        values = {"count": f"{one.count:,}", "title": one.group.title}
        if one.count and one.send:
            messages.success(request, _("%(title)s: %(count)s released.") % values)
        elif one.count:
            messages.success(request, _("%(title)s: %(count)s will not be sent.") % values)
        if one.left:
            values["count"] = f"{one.left:,}"
            text = _("%(title)s: %(count)s of those you chose were left as they were.")
            messages.warning(request, text % values)
        elif not one.count:
            messages.info(request, _("%(title)s: nothing was left to decide.") % values)


class HoldPage(DecisionPage):
    template_name = "providers/hold.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        hold = open_hold()
        form = kwargs.get("form")
        return {
            **super().get_context_data(**kwargs),
            **(hold_context(hold) if hold else {}),
            "earlier": earlier_holds(),
            "exports": export_buttons(self.request, reverse("admin:hold_export")),
            "choices": dict(form.data.items()) if form else {},
        }


class HoldRowsPage(DecisionPage):
    """The undecided rows of one group."""

    template_name = "providers/hold_rows.html"

    def get_title(self) -> Text:
        return self.group.title if hasattr(self, "group") else TITLE

    def get_trail(self) -> list[Crumb]:
        return [Crumb(TITLE, reverse("admin:hold")), Crumb(self.get_title())]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        hold = open_hold()
        if hold is None:
            raise Http404
        try:
            holdable, self.group = find_group(hold, self.kwargs["group"])
        except UnknownGroup:
            raise Http404 from None
        after = self.request.GET.get("after", "")
        start = int(after) if after.isascii() and after.isdecimal() and len(after) < 19 else 0
        rows = holdable.rows(hold, self.group.key, start, ROWS_SHOWN + 1)
        return {
            **super().get_context_data(**kwargs),
            "hold": hold,
            "group": self.group,
            "rows": rows[:ROWS_SHOWN],
            "next": rows[ROWS_SHOWN - 1].pk if len(rows) > ROWS_SHOWN else None,
        }


class CheckAgain(Page, View):
    """Settle what has become known since."""

    permission_required = PERMISSION
    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        hold = open_hold()
        settled = 0
        if hold:
            try:
                settled = settle_known(hold)
            except HoldEnded:
                messages.info(request, str(REFUSALS[HoldEnded]))
        if settled:
            text = _("%(count)s no longer need a decision.") % {"count": f"{settled:,}"}
            messages.success(request, text)
        else:
            messages.info(request, _("Nothing more is known."))
        return HttpResponseRedirect(reverse("admin:hold"))


class HoldExport(Page, View):
    permission_required = PERMISSION
    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        format_ = requested_format(request)
        hold = open_hold()
        groups: list[HeldGroup] = held_groups(hold) if hold else []
        slot = claim_slot(request)
        logged = LOGGED.store(count=len(groups), format=format_.upper())
        log_export(request, Hold, logged, count=len(groups))
        return export("what-waits", EXPORTED, groups, format_, slot)


@fragment(PERMISSION)
def hold_live(request: HttpRequest) -> HttpResponse:
    """204 if nothing has changed, so that a screen reader reads nothing again."""
    hold = open_hold()
    if hold is None:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    context = hold_context(hold)
    if request.GET.get("mark") == context["mark"]:
        return HttpResponse(status=204)
    request.current_app = admin.site.name
    return render(request, "providers/hold_live.html", {**context, "fetched": True})


def hold_urls(site: AdminSite) -> list[URLPattern]:
    view = site.admin_view
    return [
        path("what-waits/", view(HoldPage.as_view()), name="hold"),
        path("what-waits/live/", hold_live, name="hold_live"),
        path("what-waits/check/", view(CheckAgain.as_view()), name="hold_check"),
        path("what-waits/export/", view(HoldExport.as_view()), name="hold_export"),
        path("what-waits/rows/<str:group>/", view(HoldRowsPage.as_view()), name="hold_rows"),
    ]
