"""Pages and people in the search over all pages."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth.models import User
from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext, pgettext_lazy

from core.admin.buttons import Text
from core.admin.search import MOST_HITS, Hit, HitGroup, Term
from core.masking import data
from core.people import person_name
from core.punctuation import label_text

from ..handbook.pages import TITLE as HANDBOOK
from ..money_words import MoneyWordsPage
from ..own_pages.my_exports import MyExportsPage
from ..own_pages.my_settings import MySettingsPage
from ..sign_in.local_accounts import may_change_password
from .navigation import GROUPS
from .sidebar import address, may_open


def find_hits(request: HttpRequest, term: Term) -> Iterator[HitGroup]:
    if term.number:
        return
    yield HitGroup(pgettext("search", "Pages"), list(_pages(request, term)))
    yield HitGroup(pgettext("search", "Actions"), list(_acts(term)))
    if request.user.has_perm("auth.view_user") and term.is_name:
        yield HitGroup(pgettext("search", "People"), _people(term))


def _pages(request: HttpRequest, term: Term) -> Iterator[Hit]:
    """Pages of the sidebar; those whose name begins with the text come first."""
    wanted = term.text.casefold()
    items = [
        (item, group.title or "")
        for group in GROUPS
        for item in group.items
        if item.is_available() and may_open(request, item) and term.is_in(item.title)
    ]
    in_sidebar = {item.url_name for item, _ in items}
    for title, url_name, icon in _menu_of(request):
        if term.is_in(title) and url_name not in in_sidebar:
            yield Hit(str(title), reverse(url_name), icon)
    items.sort(key=lambda pair: not str(pair[0].title).casefold().startswith(wanted))
    for item, group in items:
        if url := address(item.url_name):
            yield Hit(str(item.title), url, item.icon, detail=str(group))


def _menu_of(request: HttpRequest) -> Iterator[tuple[Text, str, str]]:
    """The pages of the person's own menu: title, name of the address, icon."""
    yield MySettingsPage.title, "admin:my_settings", "tune"
    yield MyExportsPage.title, "admin:my_exports", "download"
    yield pgettext_lazy("title", "Sign-in and security"), "mfa_index", "lock"
    if may_change_password(request.user):
        yield _("Change password"), "admin:password_change", "key"
    yield MoneyWordsPage.title, "admin:money_words", "payments"
    yield HANDBOOK, "admin:handbook", "article"


def _acts(term: Term) -> Iterator[Hit]:
    """What the person's own menu does: sign out, switch the theme."""
    sign_out, theme = _("Sign out"), pgettext("title", "Theme")
    if term.is_in(sign_out):
        yield Hit(str(sign_out), reverse("admin:logout"), "logout", is_act=True)
    for key, word, icon in (
        ("light", pgettext("choice", "Light"), "light_mode"),
        ("dark", pgettext("choice", "Dark"), "dark_mode"),
        ("auto", pgettext("choice", "System"), "computer"),
    ):
        title = label_text(theme, word)
        if term.is_name and term.is_in(title):
            yield Hit(title, "", icon, theme=key)


def _people(term: Term) -> list[Hit]:
    named = (
        Q(username__icontains=term.text)
        | Q(first_name__icontains=term.text)
        | Q(last_name__icontains=term.text)
    )
    return [
        Hit(
            data(person_name(one)),
            reverse("admin:auth_user_change", args=[one.pk]),
            "person",
            detail=data(one.username),
        )
        for one in User.objects.filter(named).order_by("username")[:MOST_HITS]
    ]
