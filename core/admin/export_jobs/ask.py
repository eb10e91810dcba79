"""Take an export of a long list as a job."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin as django_admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import get_language, pgettext
from django_q.tasks import async_task

from core.acts import record_act
from core.models import ExportJob
from core.punctuation import label_text

from ..actions import filters_logged, shown_term
from ..exports import Format
from ..list_export import ListExport
from ..protocols import ModelPages
from .limits import check_room

TASK = "core.tasks.write_exports"


def ask(
    admin: ModelPages,
    declared: ListExport,
    person: User,
    query: str,
    format_: Format,
    filters: list[str],
) -> ExportJob:
    """Add the job, and let the queue begin. Raises `AskRefused`.

    The time zone and the language are those of the current request.
    """
    now = timezone.now()
    with transaction.atomic():
        check_room(person)
        newest = admin.model._default_manager.order_by("-pk").values_list("pk", flat=True).first()
        job = ExportJob.objects.create(
            by=person,
            rows_of=admin.opts.label_lower,
            format=format_,
            query=query,
            filters=filters,
            language=get_language() or "en",
            time_zone=timezone.get_current_timezone_name(),
            is_whole=bool(declared.reveal) and person.has_perm(declared.reveal),
            asked_at=now,
            progressed_at=now,
            newest="" if newest is None else str(newest),
        )
        record_act(
            "export.ask",
            by=person,
            subject=f"export:{job.pk}",
            rows=job.rows_of,
            personal={"filters": filters_logged(QueryDict(query))},
        )
        queue_slice()
    return job


def queue_slice() -> None:
    """Queue a slice behind the tasks that are waiting."""
    async_task(TASK, task_name="exports: write", save=False)


def filter_words(admin: ModelPages, request: HttpRequest) -> list[str]:
    """The filters of the list at this request, in words, without a number or text searched for."""
    request.wants_rows_only = False  # type: ignore[attr-defined]
    changelist: Any = admin.get_changelist_instance(request)
    words = [chip.text for chip in changelist.chips]
    if term := request.GET.get(SEARCH_VAR, "").strip():
        words.append(label_text(pgettext("export", "Search"), shown_term(term)))
    return words


def admin_of(label: str) -> ModelPages | None:
    """The admin of `app.model`, if it still has one that exports."""
    for model, found in django_admin.site._registry.items():
        if model._meta.label_lower == label and getattr(found, "list_export", None):
            pages: ModelPages = cast("Any", found)
            return pages
    return None
