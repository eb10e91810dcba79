"""The frame of the pages on which staff act on how a colleague signs in."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.utils import unquote
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views.generic import TemplateView

from core.admin.buttons import Crumb
from core.admin.pages import Page

from ..rights.delegation import may_reset_password


class ColleaguePage(Page, TemplateView):
    """Only for whoever stands above that person."""

    http_method_names = ["get", "post"]
    model_admin: Any
    person: User

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        person = self.model_admin.get_object(request, unquote(kwargs["object_id"]))
        if not isinstance(person, User):
            raise Http404
        self.person = person
        if not self.model_admin.has_change_permission(request, self.person):
            raise PermissionDenied
        if not may_reset_password(request.user, self.person):
            raise PermissionDenied
        answer: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return answer

    def get_trail(self) -> list[Crumb]:
        person = Crumb(str(self.person), self.model_admin.object_url(self.person))
        return [self.model_admin.list_crumb(), person, Crumb(self.get_title())]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        page = self.model_admin.object_url(self.person)
        return super().get_context_data(person=self.person, page=page, **kwargs)
