"""The button that has the chain checked."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.generic import View
from django_q.tasks import async_task

from core.acts import record_act
from core.admin.pages import NeedsPermission, Page, current_user

from ..models import VIEW_ALL, ChainCheck
from ..presentation.chain_texts import newest_checks
from ..visibility import may_read_all

TASK = "audit.tasks.check"


class CheckChain(Page, View):
    """Begins a check. The queue walks along the chain, since that may take minutes."""

    http_method_names = ["post"]

    def has_permission(self) -> bool:
        return may_read_all(self.request.user)

    def handle_no_permission(self) -> Any:
        raise NeedsPermission(VIEW_ALL)

    @transaction.atomic
    def post(self, request: HttpRequest) -> HttpResponse:
        if newest_checks()[0] is None:
            person = current_user(request)
            ChainCheck.objects.create(by=person)
            record_act("audit.check", by=person)
            async_task(TASK, task_name="audit: check")
        messages.success(request, _("The chain is being checked. The result will be here soon."))
        return HttpResponseRedirect(reverse("admin:audit_entry_changelist"))
