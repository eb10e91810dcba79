"""What the sidebar shows to a person, and which of its entries is the page's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.page_memory import remember

from .navigation import GROUPS, SUPERUSER, Item

MAX_BADGE: Final = 99


@dataclass(frozen=True, slots=True)
class Entry:
    """An item as a person sees it."""

    item: Item
    markup: SafeString
    markup_if_active: SafeString


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups, each with the markup of the items that the user may open."""
    active = active_item(request)
    groups = remember("navigation", request, lambda: _groups(request))
    return [
        {
            "title": title,
            "items": [
                entry.markup_if_active if entry.item is active else entry.markup
                for entry in entries
            ],
        }
        for title, entries in groups
    ]


def _groups(request: HttpRequest) -> list[tuple[Promise | None, list[Entry]]]:
    found = []
    for group in GROUPS:
        entries = [entry for item in group.items if (entry := _entry(request, item))]
        if entries:
            found.append((group.title, entries))
    return found


def _entry(request: HttpRequest, item: Item) -> Entry | None:
    """None if the item is hidden."""
    if not (item.is_available() and may_open(request, item)):
        return None
    link = address(item.url_name)
    if link is None:
        return None
    count = item.badge(request) if item.badge else 0
    badge = f"{MAX_BADGE}+" if count > MAX_BADGE else str(count or "")
    return Entry(
        item,
        _markup(item, link, badge, is_active=False),
        _markup(item, link, badge, is_active=True),
    )


def _markup(item: Item, link: str, badge: str, *, is_active: bool) -> SafeString:
    return format_html(
        '<li><a href="{}"{} class="nav-link{}"><span class="material-symbols-outlined"'
        ' aria-hidden="true" translate="no">{}</span><span class="nav-word">{}</span>{}</a></li>',
        link,
        SafeString(' aria-current="page"' if is_active else ""),
        " active" if is_active else "",
        item.icon,
        item.title,
        format_html('<span class="nav-badge">{}</span>', badge) if badge else "",
    )


def may_open(request: HttpRequest, item: Item) -> bool:
    user = request.user
    if not item.permissions:
        return True
    return any(
        user.is_superuser if permission == SUPERUSER else user.has_perm(permission)
        for permission in item.permissions
    )


def active_item(request: HttpRequest) -> Item | None:
    match = request.resolver_match
    name = (match.url_name or "") if match else ""
    matches = [
        (len(prefix), item)
        for group in GROUPS
        for item in group.items
        for prefix in item.owns
        if name == prefix or (prefix.endswith("_") and name.startswith(prefix))
    ]
    return max(matches, key=lambda match: match[0])[1] if matches else None


def address(url_name: str) -> str | None:
    """The URL, or None if this installation has no such page."""
    try:
        return reverse(url_name)
    except NoReverseMatch:
        return None
