"""Addresses of the page of a number, and of notes."""

from __future__ import annotations

from django.urls import URLPattern, path
from unfold.sites import UnfoldAdminSite

from .note_pages import AddNote, FinishNote, RemoveNote
from .number_page import NameNumber, NumberPage, RevealNumber
from .search_page import search


def lookup_urls(site: UnfoldAdminSite) -> list[URLPattern]:
    view = site.admin_view
    return [
        # Before the theme's, which answers with the page for signing in.
        path("search/", search, name="search"),
        path("number/<str:token>/", view(NumberPage.as_view()), name="number"),
        path("number/<str:token>/name/", view(NameNumber.as_view()), name="number_name"),
        path("notes/<str:kind>/<str:address_id>/add/", view(AddNote.as_view()), name="note_add"),
        path("notes/<int:pk>/done/", view(FinishNote.as_view()), name="note_done"),
        path("notes/<int:pk>/remove/", view(RemoveNote.as_view()), name="note_remove"),
        path("number/<str:token>/reveal/", RevealNumber.as_view(), name="number_reveal"),
    ]
