"""Addresses of what is forgotten."""

from __future__ import annotations

from django.urls import URLPattern, path
from unfold.sites import UnfoldAdminSite

from .erasure_page import ErasurePage, StopErasure, live
from .pages import ErasePage, HandOutPage, LiftHold, PrivacyPage, SetHoldPage
from .retention_page import RetentionPage


def privacy_urls(site: UnfoldAdminSite) -> list[URLPattern]:
    view = site.admin_view
    erasure = "privacy/erasures/<str:public_id>/"
    return [
        path("privacy/", view(PrivacyPage.as_view()), name="privacy"),
        path("privacy/erase/", view(ErasePage.as_view()), name="privacy_erase"),
        path("privacy/hand-out/", view(HandOutPage.as_view()), name="privacy_hand_out"),
        path("privacy/hold/", view(SetHoldPage.as_view()), name="privacy_hold"),
        path("privacy/retention/", view(RetentionPage.as_view()), name="privacy_retention"),
        path(
            "privacy/holds/<str:public_id>/lift/",
            view(LiftHold.as_view()),
            name="privacy_hold_lift",
        ),
        path(erasure, view(ErasurePage.as_view()), name="privacy_erasure"),
        path(f"{erasure}live/", live, name="privacy_erasure_live"),
        path(f"{erasure}stop/", view(StopErasure.as_view()), name="privacy_erasure_stop"),
    ]
