"""What staff do with an object by one button, and the log line that it leaves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext

from .pages import ObjectPage, ObjectType, current_user, refuse_fragment
from .reasons import REVEAL_REASONS, reason_from


def log_change(
    request: HttpRequest, objects: Iterable[Model], message: Any, flag: int = CHANGE
) -> None:
    """Log what the current user did to each of `objects`. `message` is a sentence, or the
    list that Django's log page translates."""
    LogEntry.objects.log_actions(
        user_id=current_user(request).pk,
        queryset=objects,
        action_flag=flag,
        change_message=message,
    )


def log_export(request: HttpRequest, model: type[Model], name: str, message: str) -> None:
    """An export is about a list, so its log line names no object."""
    LogEntry.objects.create(
        user=current_user(request),
        content_type=ContentType.objects.get_for_model(model),
        object_repr=name,
        action_flag=CHANGE,
        change_message=message,
    )


class ObjectAction(ObjectPage[ObjectType], Generic[ObjectType]):
    """POST only; leads back to a page of the object. Subclasses write `post`."""

    http_method_names = ["post"]

    def log(self, obj: Model, text: str) -> None:
        log_change(self.request, [obj], text)


class RevealAction(ObjectAction[ObjectType], Generic[ObjectType]):
    """Answers a script with what the page hides, and logs who saw it and why.

    Without a reason nothing is shown or logged.
    """

    template_name: str

    def get_revealed(self, obj: ObjectType) -> dict[str, Any]:
        """The template's context with everything that was hidden."""
        raise NotImplementedError

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        refused = refuse_fragment(request, tuple(self.get_permission_required()))
        return refused or super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, object_id: str) -> HttpResponse:
        obj = self.find(object_id)
        because = reason_from(request, REVEAL_REASONS)
        if because:
            self.log(obj, f"Revealed: {because}")
            context = self.get_revealed(obj)
        else:
            context = {"note": gettext("Choose or type a reason first.")}
        answer = render(request, self.template_name, context)
        answer["Cache-Control"] = "no-store"
        return answer
