"""The inbox "Approvals", the page of one request, and the decision about it."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django.views.generic import TemplateView

from core.admin.buttons import Crumb, Text
from core.admin.pages import NeedsPermission, Page, current_user, require
from core.admin.too_long import length_problem
from core.stored_texts import show

from .. import clock
from ..approvals import requests
from ..approvals.kinds import kind_of
from ..approvals.requests import DecisionOutcome
from ..approvals.rules import PERMISSION, may_decide
from ..models import Approval
from ..presentation.approval_inbox import (
    MAY_LIMIT,
    MAY_OPEN,
    asked_by,
    line_of,
    may_open,
    may_read,
    waiting_for,
)
from ..presentation.approval_texts import (
    OUTCOMES,
    explain_request,
    outcomes_of,
    stored_lines,
    who_decides,
)
from ..states import ApprovalState

TITLE: Final = pgettext_lazy("title", "Approvals")
RECENT: Final = 20
MAX_COMMENT: Final = 200


class ApprovalsPage(Page, TemplateView):
    title = TITLE
    template_name = "providers/approvals.html"
    http_method_names = ["get"]

    def has_permission(self) -> bool:
        return may_open(self.request.user)

    def handle_no_permission(self) -> Any:
        raise NeedsPermission(MAY_OPEN[0])

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        now, user = clock.now(), self.request.user
        decided = Approval.objects.exclude(state=ApprovalState.WAITING)
        sees_all = user.has_perm(PERMISSION) or user.has_perm("providers.view_approval")
        if not sees_all:
            decided = decided.filter(asked_by_id=user.pk)
        people = decided.select_related("asked_by", "decided_by").order_by("-asked_at", "-pk")
        return super().get_context_data(
            for_me=[line_of(one, now) for one in waiting_for(self.request)],
            by_me=[
                {"line": line_of(one, now), "who": who_decides(one)}
                for one in asked_by(self.request)
            ],
            may_decide=user.has_perm(PERMISSION),
            may_list=sees_all,
            may_limit=user.has_perm(MAY_LIMIT) or user.has_perm("providers.view_approvallimit"),
            decided=[
                {**one, "line": line_of(one["approval"], now)}
                for one in outcomes_of(list(people[:RECENT]))
            ],
            **kwargs,
        )


class RequestPage(Page, TemplateView):
    """One request. Whoever may decide sees all of what would be started."""

    template_name = "providers/approval.html"
    http_method_names = ["get"]
    approval: Approval

    def has_permission(self) -> bool:
        if not may_open(self.request.user):
            return False
        self.approval = self.find()
        return may_read(self.request.user, self.approval)

    def handle_no_permission(self) -> Any:
        raise NeedsPermission(PERMISSION)

    def find(self) -> Approval:
        rows = Approval.objects.select_related("account", "asked_by", "decided_by")
        found = rows.filter(public_id=self.kwargs["public_id"][:40]).first()
        if found is None:
            raise Http404
        return found

    def get_title(self) -> Text:
        return show(self.approval.title) if hasattr(self, "approval") else TITLE

    def get_trail(self) -> list[Crumb]:
        return [Crumb(TITLE, reverse("admin:approvals")), Crumb(self.get_title())]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        approval, user = self.approval, self.request.user
        kind = kind_of(approval.kind)
        is_waiting = approval.state == ApprovalState.WAITING
        return super().get_context_data(
            **{
                "approval": approval,
                "line": line_of(approval, clock.now()),
                "passed": stored_lines(approval),
                "explanation": explain_request(approval),
                "object_url": kind.url(approval),
                "preview_template": kind.template,
                "preview": kind.preview(approval, user),
                "may_decide": is_waiting and may_decide(user, approval),
                "may_withdraw": is_waiting and approval.asked_by_id == user.pk,
                "is_waiting": is_waiting,
                "who": who_decides(approval) if is_waiting else "",
                "comment": "",
                "problem": "",
                "max_comment": MAX_COMMENT,
                **kwargs,
            }
        )


class DecidePage(RequestPage):
    """Approves or rejects a request, once."""

    http_method_names = ["post"]

    def has_permission(self) -> bool:
        return self.request.user.has_perm(PERMISSION) and super().has_permission()

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        by, comment = current_user(request), request.POST.get("comment", "").strip()
        decision = request.POST.get("decision")
        if too_long := length_problem(comment, MAX_COMMENT):
            context = self.get_context_data(problem=too_long, comment=comment)
            return self.render_to_response(context)
        if decision == "approve":
            outcome = requests.grant(self.approval, by, comment)
            done = pgettext("notice", "Approved.")
        elif decision != "reject":
            return HttpResponseRedirect(reverse("admin:approval", args=[self.approval.public_id]))
        elif not comment:
            problem = _("Say why you reject it. The person who requested it will read this.")
            return self.render_to_response(self.get_context_data(problem=problem))
        else:
            outcome = requests.reject(self.approval, by, comment)
            done = gettext("Rejected. The person who requested it was told.")
        return _answer(request, self.approval, outcome, done)


class WithdrawPage(RequestPage):
    """Whoever asked takes the request back."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.approval.asked_by_id != request.user.pk:
            require(request, "providers.approve")
        outcome = requests.withdraw(self.approval, current_user(request))
        return _answer(request, self.approval, outcome, gettext("Request withdrawn."))


def _answer(
    request: HttpRequest, approval: Approval, outcome: DecisionOutcome, done: str
) -> HttpResponse:
    if outcome == DecisionOutcome.DONE:
        messages.success(request, done)
    else:
        messages.warning(request, str(OUTCOMES[outcome]))
    return HttpResponseRedirect(reverse("admin:approval", args=[approval.public_id]))


def approvals_urls(site: AdminSite) -> list[URLPattern]:
    view = site.admin_view
    one = "approvals/<str:public_id>/"
    return [
        path("approvals/", view(ApprovalsPage.as_view()), name="approvals"),
        path(one, view(RequestPage.as_view()), name="approval"),
        path(f"{one}decide/", view(DecidePage.as_view()), name="approval_decide"),
        path(f"{one}withdraw/", view(WithdrawPage.as_view()), name="approval_withdraw"),
    ]
