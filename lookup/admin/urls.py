"""Addresses of the search and of the page of a number."""

from __future__ import annotations

from django.urls import URLPattern, path
from unfold.sites import UnfoldAdminSite

from .number_page import AddNote, NameNumber, NumberPage, RemoveNote, RevealNumber


def lookup_urls(site: UnfoldAdminSite) -> list[URLPattern]:
    view = site.admin_view
    return [
        path("number/<str:token>/", view(NumberPage.as_view()), name="number"),
        path("number/<str:token>/name/", view(NameNumber.as_view()), name="number_name"),
        path("number/<str:token>/note/", view(AddNote.as_view()), name="number_add_note"),
        path(
            "number/<str:token>/note/<int:pk>/remove/",
            view(RemoveNote.as_view()),
            name="number_remove_note",
        ),
        path("number/<str:token>/reveal/", RevealNumber.as_view(), name="number_reveal"),
    ]
