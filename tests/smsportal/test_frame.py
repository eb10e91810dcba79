"""The frame of every page: access, sidebar and banners."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from core.admin import banners
from core.admin.banners import Banner
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db

SENT = ["Batches", "Messages"]
# For those who may ask for an approval, or see who did.
APPROVED = ["Batches", "Approvals", "Messages"]
RENTED = ["Open orders", "Orders", "Transactions"]
NAVIGATION = {
    "viewer": ["Dashboard", "Hand-over", *SENT, "Codes", *RENTED, "Accounts"],
    "operator": [
        "Dashboard",
        "Hand-over",
        "Send SMS",
        *APPROVED,
        "Send code",
        "Codes",
        "Rent a number",
        *RENTED,
        "Accounts",
    ],
    "manager": [
        "Dashboard",
        "Hand-over",
        "Figures",
        "My exports",
        "Send SMS",
        *APPROVED,
        "Send code",
        "Codes",
        "Rent a number",
        *RENTED,
        "Apps and countries",
        "Accounts",
        "Scoreboard",
        "API calls",
        "Callbacks",
        "Staff",
        "Audit log",
        "What waits",
        "Privacy",
        "Alerts",
        "Hosts",
    ],
    "auditor": [
        "Dashboard",
        "Hand-over",
        "Figures",
        "My exports",
        *APPROVED,
        "Codes",
        *RENTED,
        "Accounts",
        "Scoreboard",
        "API calls",
        "Callbacks",
        "Audit log",
        "Alerts",
        "Hosts",
    ],
}

OPEN_TO_ALL = {
    "account_login",
    "javascript-catalog",
    "jsi18n",
    "login",
    "logout",
    "oidc_return",
    "oidc_signed_out",
    "oidc_start",
    "set_language",
    "set_password",
}


def routes(patterns: Any = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in patterns if patterns is not None else get_resolver().url_patterns:
        here = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, here)
        else:
            yield here, entry


def url_for(route: str) -> str:
    """A URL that matches the route, with made-up ids."""
    for converter in ("int", "slug", "uuid"):
        made_up = "11111111-1111-1111-1111-111111111111" if converter == "uuid" else "1"
        while f"<{converter}:" in route:
            before, _, rest = route.partition(f"<{converter}:")
            route = before + made_up + rest.partition(">")[2]
    while "<" in route and "(?P" not in route:
        before, _, rest = route.partition("<")
        route = before + "x" + rest.partition(">")[2]
    return "/" + route


def test_every_admin_page_requires_signing_in(client: Client) -> None:
    count = 0
    for route, entry in routes():
        if "(?P" in route or route.startswith(("i18n/", "favicon", "callback", "c/", "health")):
            continue
        if entry.name in OPEN_TO_ALL or route.startswith(("metrics", "-/")):
            continue
        count += 1
        response = client.get(url_for(route))
        to_sign_in = response.status_code == 302 and "/login/" in response["Location"]
        assert to_sign_in or response.status_code in (401, 405), f"{route} {response.status_code}"
    assert count > 30


def links(page: bytes) -> list[str]:
    sidebar = page.decode().split('id="nav-sidebar-apps"')[1].split("</nav>")[0]
    return [part.split('"')[0] for part in sidebar.split('<a href="')[1:]]


def test_sidebar_shows_only_permitted_pages() -> None:
    staff, queue = reverse("admin:auth_user_changelist"), reverse("admin:django_q_ormq_changelist")
    shown = {
        role: links(browser_of(member(role)).get("/").content)
        for role in ("viewer", "operator", "manager", "auditor")
    }
    assert staff in shown["manager"]
    assert not [role for role in ("viewer", "operator", "auditor") if staff in shown[role]]
    assert not [role for role in shown if queue in shown[role]]
    boss = browser_of(member(name="boss", superuser=True))
    assert {staff, queue} <= set(links(boss.get("/").content))


@pytest.mark.parametrize("role", NAVIGATION)
def test_sidebar_of_each_role_has_its_pages(role: str) -> None:
    page = browser_of(member(role)).get("/").content.decode()
    sidebar = page.split('id="nav-sidebar-apps"')[1].split("</nav>")[0]
    entries = re.findall(r"<a href.*?</a>", sidebar, re.DOTALL)
    without_icons = [
        re.sub(r"<span[^>]*material-symbols.*?</span>", "", each, flags=re.DOTALL)
        for each in entries
    ]
    texts = [" ".join(re.sub(r"<[^>]*>", " ", each).split()) for each in without_icons]
    assert texts == NAVIGATION[role]


@pytest.mark.any_database
def test_every_sidebar_link_opens() -> None:
    for role in ("viewer", "operator", "manager", "auditor"):
        browser = browser_of(member(role))
        for link in links(browser.get("/").content):
            assert browser.get(link).status_code == 200, f"{role} {link}"


def test_exactly_one_sidebar_item_is_active() -> None:
    boss = browser_of(member(name="boss", superuser=True))
    for page in ("/", reverse("admin:auth_group_changelist"), reverse("admin:auth_user_add")):
        html = boss.get(page).content.decode()
        assert html.count(' active">') == 1, page


def test_user_without_a_role_sees_only_the_dashboard() -> None:
    browser = browser_of(member())
    assert browser.get("/").status_code == 200
    assert links(browser.get("/").content) == ["/"]


def test_fragment_shows_that_the_session_has_ended(client: Client) -> None:
    response = client.get(reverse("admin:banner"))
    assert response.status_code == 401
    assert b"You are signed out" in response.content
    assert b"password" not in response.content


def test_banner_zone_does_not_extend_the_session() -> None:
    browser = browser_of(member("viewer"))
    response = browser.get(reverse("admin:banner"))
    assert not response.cookies


def test_banner_zone_returns_no_content_if_nothing_changed() -> None:
    browser = browser_of(member("viewer"))
    zone = browser.get(reverse("admin:banner"))
    mark = zone.content.decode().split("?mark=")[1].split('"')[0]
    assert browser.get(reverse("admin:banner"), {"mark": mark}).status_code == 204


def test_failing_banner_source_does_not_break_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_request: object) -> list[Banner]:
        raise RuntimeError

    banner = Banner("<b>still here</b>")
    monkeypatch.setattr(banners.sources, "sources", [broken, lambda _request: [banner]])
    page = browser_of(member("viewer")).get("/")
    assert b"&lt;b&gt;still here&lt;/b&gt;" in page.content


def test_first_steps_are_shown_to_managers_only() -> None:
    assert b"First steps" in browser_of(member("manager")).get("/").content
    viewer = browser_of(member("viewer")).get("/").content
    assert b"First steps" not in viewer
    assert b"Nothing needs attention." in viewer


def test_frame_names_the_person_and_the_role() -> None:
    page = browser_of(member("operator")).get("/").content.decode()
    assert "<small>Operator</small>" in page
    boss = browser_of(member("manager", name="boss", superuser=True)).get("/").content.decode()
    assert "<small>Superuser, Manager</small>" in boss
    assert "<small>" not in browser_of(member()).get("/").content.decode()


def test_search_lists_pages_or_says_that_there_is_none() -> None:
    browser = browser_of(member("manager"))
    search = reverse("admin:search")
    assert f'hx-post="{search}"' in browser.get("/").content.decode()
    found = browser.post(search, {"s": " CALLB "}).content.decode()
    assert found.count("<li ") == 1
    assert f'href="{reverse("admin:providers_callback_changelist")}"' in found
    assert "Nothing was found." in browser.post(search, {"s": "zzz"}).content.decode()
    assert browser.post(search, {"s": " "}).content.strip() == b""


def test_pages_have_no_inline_scripts() -> None:
    boss = browser_of(member(name="boss", superuser=True))
    for page in ("/", reverse("admin:auth_user_changelist"), reverse("admin:auth_user_add")):
        html = boss.get(page).content.decode()
        assert "<script>" not in html
        assert " onclick=" not in html


@pytest.mark.parametrize(("language", "title"), [("en", "SMS portal"), ("zh-hans", None)])
def test_page_declares_its_language(client: Client, language: str, title: str | None) -> None:
    client.cookies["django_language"] = language
    page = client.get(reverse("admin:login")).content.decode()
    assert f'<html lang="{language}"' in page
    if title:
        assert title in page
