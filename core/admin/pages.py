"""Custom admin pages, and the fragments that they fetch while open."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any, Generic, TypeVar

from django.contrib import admin
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.views.generic import View

from .buttons import Crumb, Text
from .protocols import ModelPages

Response = TypeVar("Response", bound=Callable[..., HttpResponseBase])
ObjectType = TypeVar("ObjectType", bound=Model)


def current_user(request: HttpRequest) -> User:
    """The authenticated user (admin views require login)."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


class NeedsPermission(PermissionDenied):
    """Access denied for lack of the named permissions."""

    def __init__(self, *permissions: str) -> None:
        super().__init__(", ".join(permissions))
        self.permissions = permissions


def new_form_token() -> str:
    """A token for one opened form, so that submitting it twice acts once."""
    return secrets.token_urlsafe(24)


def require(request: HttpRequest, *permissions: str) -> None:
    """Raise `NeedsPermission` unless the user has all `permissions`."""
    if not request.user.has_perms(permissions):
        raise NeedsPermission(*permissions)


class Page(PermissionRequiredMixin, View):
    """A mixin that makes a generic view an admin page.

    class SendPage(Page, FormView): title, permission_required, template_name, form_class.
    List it in `pages` of a `PortalAdmin`, which is then `self.model_admin`. The template extends
    "portal/page.html".
    """

    title: Text = ""
    model_admin: ModelPages | None = None
    permission_required: str | tuple[str, ...] = ()

    def has_permission(self) -> bool:
        return self.request.user.has_perms(self.get_permission_required())

    def handle_no_permission(self) -> Any:
        raise NeedsPermission(*self.get_permission_required())

    def get_title(self) -> Text:
        return self.title

    def get_trail(self) -> list[Crumb]:
        """The breadcrumbs. By default the model's list, then this page."""
        model_admin = self.model_admin
        own = Crumb(self.get_title())
        if model_admin and model_admin.has_view_permission(self.request):
            return [model_admin.list_crumb(), own]
        return [own]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        self.request.current_app = admin.site.name
        return {
            **admin.site.each_context(self.request),
            "title": self.get_title(),
            "trail": self.get_trail(),
            "model_admin": self.model_admin,
            **context,
        }


class ObjectPage(Page, Generic[ObjectType]):
    """An admin page about one object: `ObjectPage[Message]`."""

    model_admin: ModelPages

    def find(self, public_id: str) -> ObjectType:
        """The object with this id. Raises `Http404`."""
        found: ObjectType = self.model_admin.get_or_404(self.request, public_id)
        return found

    def back_to(self, obj: ObjectType) -> HttpResponse:
        return HttpResponseRedirect(self.model_admin.object_url(obj))


def fragment(*permissions: str) -> Callable[[Response], Response]:
    """Decorate a view (function or method) that returns a part of a page to a script.

    A signed-out user gets 401 and a note instead of a redirect to the sign-in form, which the
    script would insert into the middle of the page.
    """

    def decorate(view: Response) -> Response:
        @wraps(view)
        def view_fragment(*args: Any, **kwargs: Any) -> HttpResponseBase:
            request = next(arg for arg in args if isinstance(arg, HttpRequest))
            response = refuse_fragment(request, permissions) or view(*args, **kwargs)
            add_never_cache_headers(response)
            return response

        view_fragment.is_fragment = True  # type: ignore[attr-defined]
        return view_fragment  # type: ignore[return-value]

    return decorate


def refuse_fragment(request: HttpRequest, permissions: tuple[str, ...]) -> HttpResponse | None:
    """The 401 or 403 response for a user who lacks access; None if the user has it."""
    if not admin.site.has_permission(request):
        return render(request, "portal/signed_out_note.html", status=401)
    if not request.user.has_perms(permissions):
        return render(request, "portal/not_allowed_note.html", status=403)
    return None
