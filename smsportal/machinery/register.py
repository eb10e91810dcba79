"""Replaces each library's own admin pages by the portal's."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from django.apps import apps
from django.contrib import admin

from . import change_pages, queue_pages, sign_in_pages
from .exports import MACHINERY

SIGN_IN_LIBRARY: Final = ("account", "mfa", "socialaccount", "usersessions")


def register() -> None:
    for library in ("auditlog", "axes", "django_q"):
        # Otherwise, they would be registered after these pages.
        import_module(f"{library}.admin")
    _hide_sign_in_library()
    for model, page in (*queue_pages.PAGES, *sign_in_pages.PAGES, *change_pages.PAGES):
        if admin.site.is_registered(model):
            admin.site.unregister(model)
        admin.site.register(model, page, list_export=MACHINERY[model])


def _hide_sign_in_library() -> None:
    """Its own pages would show and change the rows of second factors and sessions."""
    for label in SIGN_IN_LIBRARY:
        # Otherwise, they would be registered after this.
        import_module(f"allauth.{label}.admin")
        for model in apps.get_app_config(label).get_models():
            if admin.site.is_registered(model):
                admin.site.unregister(model)
