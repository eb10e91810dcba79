"""Replaces each library's own admin pages by the portal's."""

from __future__ import annotations

from importlib import import_module

from django.contrib import admin

from . import change_pages, queue_pages, sign_in_pages
from .exports import MACHINERY


def register() -> None:
    for library in ("auditlog", "axes", "django_q"):
        # Otherwise, they would be registered after these pages.
        import_module(f"{library}.admin")
    for model, page in (*queue_pages.PAGES, *sign_in_pages.PAGES, *change_pages.PAGES):
        if admin.site.is_registered(model):
            admin.site.unregister(model)
        admin.site.register(model, page, list_export=MACHINERY[model])
