"""Addresses of alerts."""

from __future__ import annotations

from django.urls import URLPattern, path
from unfold.sites import UnfoldAdminSite

from . import overview_page, receiver_pages, rule_pages


def alerts_urls(site: UnfoldAdminSite) -> list[URLPattern]:
    view = site.admin_view
    rule = "alerts/rules/<str:public_id>/"
    receiver = "alerts/receivers/<str:public_id>/"
    pages = {
        "alerts/": (overview_page.AlertsPage, "alerts"),
        "alerts/log/": (overview_page.LogPage, "alerts_log"),
        "alerts/mute/": (overview_page.MuteAll, "alerts_mute"),
        "alerts/ping/": (receiver_pages.PingPage, "alerts_ping"),
        "alerts/rules/add/<str:kind>/": (rule_pages.AddRulePage, "alerts_rule_add"),
        rule: (rule_pages.RulePage, "alerts_rule"),
        f"{rule}switch/": (rule_pages.SwitchRule, "alerts_rule_switch"),
        f"{rule}mute/": (rule_pages.MuteRule, "alerts_rule_mute"),
        f"{rule}remove/": (rule_pages.RemoveRule, "alerts_rule_remove"),
        "alerts/receivers/add/": (receiver_pages.AddReceiverPage, "alerts_receiver_add"),
        receiver: (receiver_pages.ReceiverPage, "alerts_receiver"),
        f"{receiver}test/": (receiver_pages.SendTest, "alerts_receiver_test"),
        f"{receiver}remove/": (receiver_pages.RemoveReceiver, "alerts_receiver_remove"),
    }
    return [
        path("alerts/live/", overview_page.live, name="alerts_live"),
        *(path(route, view(page.as_view()), name=name) for route, (page, name) in pages.items()),
    ]
