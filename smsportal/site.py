"""The one admin site of the portal."""

from __future__ import annotations

from unfold.sites import UnfoldAdminSite


class PortalSite(UnfoldAdminSite):
    enable_nav_sidebar = True
