"""Actions on one object behind a button, and their log entries."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Generic

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.stored_texts import Stored, as_value, declare, object_name

from .pages import ObjectPage, ObjectType, current_user, refuse_fragment
from .reasons import REVEAL_REASONS, reason_from

REVEALED: Final = declare("revealed", _("Revealed: %(reason)s"))


def log_change(
    request: HttpRequest, objects: Iterable[Model], message: Stored, flag: int = CHANGE
) -> None:
    """Write one log entry by the current user for each of `objects`."""
    user = current_user(request)
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
    LogEntry.objects.bulk_create(entries)


def log_export(request: HttpRequest, model: type[Model], message: Stored) -> None:
    """Log an export of `model`. It concerns a list, so the entry names no object."""
    LogEntry.objects.create(
        user=current_user(request),
        content_type=ContentType.objects.get_for_model(model),
        object_repr=model._meta.label_lower,
        action_flag=CHANGE,
        change_message=message,
    )


class ObjectAction(ObjectPage[ObjectType], Generic[ObjectType]):
    """A POST-only action that redirects to a page of the object. Subclasses define `post`."""

    http_method_names = ["post"]

    def log(self, obj: Model, message: Stored) -> None:
        log_change(self.request, [obj], message)


class RevealAction(ObjectAction[ObjectType], Generic[ObjectType]):
    """Returns hidden values to a script, and logs who saw them and why.

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
            self.log(obj, REVEALED.store(reason=as_value(reason)))
            context = self.get_revealed(obj)
        else:
            context = {"note": gettext("Choose or enter a reason first.")}
        answer = render(request, self.template_name, context)
        answer["Cache-Control"] = "no-store"
        return answer
