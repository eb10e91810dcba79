"""Actions on one object behind a button, and their log entries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Generic

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.views.main import SEARCH_VAR
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from core.acts import record_act, record_acts
from core.phones.parse import mask, search_key
from core.secrets import DOTS
from core.stored_texts import Stored, as_value, declare, object_name, values_of

from .buttons import Crumb
from .pages import ObjectPage, ObjectType, current_user, refuse_fragment
from .reasons import REVEAL_REASONS, reason_from, reason_problem

MAX_FILTERS: Final = 500
"""Characters of the filters that are kept."""
_ID: Final = re.compile(r"[\w-]{4,64}", re.ASCII)
REVEALED: Final = declare("revealed", _("Revealed: %(reason)s"))


def log_change(
    request: HttpRequest,
    objects: Iterable[Model],
    message: Stored,
    flag: int = CHANGE,
    *,
    is_act: bool = True,
) -> None:
    """Write one log entry by the current user for each of `objects`, and record the act.

    Call it in the transaction of the act. The key of the text is the kind of the act. Without
    `is_act`, no act is recorded, since the caller records one that says more.
    """
    user, objects = current_user(request), list(objects)
    entries = [
        LogEntry(
            user=user,
            content_type=ContentType.objects.get_for_model(obj, for_concrete_model=False),
            object_id=str(obj.pk),
            object_repr=object_name(obj),
            action_flag=flag,
            change_message=message,
        )
        for obj in objects
    ]
    with transaction.atomic():
        LogEntry.objects.bulk_create(entries)
        if is_act and objects:
            _record_logged(user, objects, message)


def _record_logged(user: User, objects: Iterable[Model], message: Stored) -> None:
    values: dict[str, Any] = values_of(message)
    what, reason = str(values.pop("key", "changed")), values.pop("reason", "")
    reason = reason if isinstance(reason, str) else json.dumps(reason, ensure_ascii=False)
    subjects = [f"{obj._meta.model_name}:{obj.pk}" for obj in objects]
    record_acts(what, by=user, subjects=subjects, reason=reason, **values)


def log_export(request: HttpRequest, model: type[Model], message: Stored, *, count: int) -> None:
    """Log an export of `count` rows of `model`, with the filters that were set.

    It concerns a list, so the entry names no object.
    """
    log_rows_exported(current_user(request), model, message, count=count, query=request.GET)


def log_rows_exported(
    by: User,
    model: type[Model],
    message: Stored,
    *,
    count: int,
    query: QueryDict,
    subject: str = "",
) -> None:
    """As `log_export`, for a list with this query string. `subject`: the job of the export."""
    name = model._meta.label_lower
    with transaction.atomic():
        LogEntry.objects.create(
            user=by,
            content_type=ContentType.objects.get_for_model(model),
            object_repr=name,
            action_flag=CHANGE,
            change_message=message,
        )
        record_act(
            "export",
            by=by,
            subject=subject,
            rows=name,
            personal={"filters": filters_logged(query)},
            count=count,
        )


def export_filters(request: HttpRequest) -> str:
    """The filters of an exported list as in its address, without a number or text searched for."""
    return filters_logged(request.GET)


def filters_logged(query: QueryDict) -> str:
    query = query.copy()
    if term := query.get(SEARCH_VAR, "").strip():
        query[SEARCH_VAR] = shown_term(term)
    return query.urlencode()[:MAX_FILTERS]


def shown_term(term: str) -> str:
    """A search term for the log: an id as it is, a number masked, any other text hidden."""
    number = search_key(term)
    shown = term if _ID.fullmatch(term) else DOTS
    return mask(number) if number else shown


class ObjectAction(ObjectPage[ObjectType], Generic[ObjectType]):
    """A POST-only action that redirects to a page of the object. Subclasses define `post`."""

    http_method_names = ["post"]
    is_one_transaction = True
    """Whether what a post changes is committed together with its log entry and act."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST" or not self.is_one_transaction:
            return super().dispatch(request, *args, **kwargs)
        with transaction.atomic():
            return super().dispatch(request, *args, **kwargs)

    def log(self, obj: Model, message: Stored, *, is_act: bool = True) -> None:
        log_change(self.request, [obj], message, is_act=is_act)


def record_reveal(obj: Model, by: User, reason: Stored) -> None:
    """Record that somebody saw an object whole. Call it in the transaction of its log entry."""
    record_act("reveal", by=by, subject=f"{obj._meta.model_name}:{obj.pk}", reason=reason)


def revealed_answer(
    request: HttpRequest, template: str, context: Mapping[str, Any], trail: list[Crumb]
) -> HttpResponse:
    """The revealed values for the script that puts them in place, or as a page of their own.

    `trail`: the breadcrumbs of the page with the masked values; the last one leads back to it.
    """
    if request.headers.get("HX-Request") == "true":
        answer = render(request, template, context)
    else:
        title = pgettext("title", "Revealed")
        page = {
            **admin.site.each_context(request),
            "title": title,
            "trail": [*trail, Crumb(title)],
            "revealed_template": template,
            "back_url": trail[-1].url,
            **context,
        }
        answer = render(request, "portal/revealed_page.html", page)
    answer["Cache-Control"] = "no-store"
    return answer


class RevealAction(ObjectAction[ObjectType], Generic[ObjectType]):
    """Returns hidden values to a script or as a page, and logs who saw them and why.

    Without a reason, it reveals and logs nothing.
    """

    template_name: str

    def get_revealed(self, obj: ObjectType) -> dict[str, Any]:
        """The template context with the hidden values."""
        raise NotImplementedError

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        refused = refuse_fragment(request, tuple(self.get_permission_required()))
        return refused or super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        obj = self.find(object_id)
        reason = reason_from(request, REVEAL_REASONS)
        if reason:
            with transaction.atomic():
                self.log(obj, REVEALED.store(reason=as_value(reason)), is_act=False)
                record_reveal(obj, current_user(request), reason)
            context = self.get_revealed(obj)
        else:
            otherwise = gettext("Choose a reason first, or describe it in a few words.")
            context = {"note": reason_problem(request, otherwise)}
        own = Crumb(
            self.model_admin.get_detail_title(request, obj), self.model_admin.object_url(obj)
        )
        trail = [self.model_admin.list_crumb(), own]
        return revealed_answer(request, self.template_name, context, trail)
