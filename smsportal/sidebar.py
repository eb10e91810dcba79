"""What the sidebar shows to a person, and which of its entries is the page's."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from core.page_memory import remember

from .navigation import GROUPS, SUPERUSER, Group, Item

MAX_BADGE: Final = 99


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The groups in the admin theme's format, with the items that the user may open."""
    active = active_item(request)
    groups = remember("navigation", request, lambda: _groups(request))
    return [
        {
            "title": group.title,
            "items": [{**entry, "active": item is active} for item, entry in entries],
        }
        for group, entries in groups
    ]


def _groups(request: HttpRequest) -> list[tuple[Group, list[tuple[Item, dict[str, Any]]]]]:
    found = []
    for group in GROUPS:
        entries = [(item, entry) for item in group.items if (entry := _entry(request, item))]
        if entries:
            found.append((group, entries))
    return found


def _entry(request: HttpRequest, item: Item) -> dict[str, Any] | None:
    """The item in the theme's format, or None if it is hidden."""
    if not (item.is_available() and may_open(request, item)):
        return None
    link = address(item.url_name)
    if link is None:
        return None
    entry = {"title": item.title, "icon": item.icon, "link": link, "has_permission": True}
    count = item.badge(request) if item.badge else 0
    if count:
        entry["badge"] = f"{MAX_BADGE}+" if count > MAX_BADGE else str(count)
    return entry


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
