"""A null character in an address. PostgreSQL accepts none, not even to compare with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import NoReverseMatch, get_resolver, reverse

from smsportal.middleware.null_characters import NullCharactersMiddleware
from tests.factories.accounts import make_account
from tests.factories.staff import make_user
from tools.product_apps import APPS

ROOT: Final = Path(__file__).resolve().parents[3]
READ: Final = re.compile(r"""(?:GET(?:\.get\(|\[)|parameter_name(?:: \w+)? = )["'](\w+)["']""")


def names_in_queries() -> set[str]:
    """Every name that the code reads from a query."""
    return {
        name
        for app in APPS
        for path in (ROOT / app).rglob("*.py")
        for name in READ.findall(path.read_text(encoding="utf-8"))
    }


def pages() -> Iterator[str]:
    """The address of every page that needs no id."""
    admin = dict(get_resolver().namespace_dict.items())["admin"][1]
    for name in sorted(key for key in admin.reverse_dict if isinstance(key, str)):
        try:
            yield reverse(f"admin:{name}")
        except NoReverseMatch:
            continue


@pytest.mark.any_database
@pytest.mark.django_db
class TestPages:
    @pytest.fixture
    def browser(self) -> Client:
        for provider in ("haorui", "haosms", "otpservice", "gosms"):
            make_account(provider)
        browser = Client()
        browser.force_login(make_user(is_superuser=True))
        return browser

    def test_null_characters_in_the_query_harm_no_page(self, browser: Client) -> None:
        names = names_in_queries()
        assert {"q", "like", "batch"} <= names
        failed = []
        for address in pages():
            for value in ("\x00", "a\x00b"):
                answer = browser.get(address, dict.fromkeys(names - {"_popup"}, value))
                if answer.status_code >= 500:
                    failed.append((address, value))
        assert not failed

    @pytest.mark.parametrize(
        "address",
        ["/messaging/message/a%00b/change/", "/otp/session/%00/", "/auth/user/1%00/change/"],
    )
    def test_path_with_one_does_not_exist(self, browser: Client, address: str) -> None:
        assert browser.get(address).status_code == 404

    @pytest.mark.parametrize(
        "address",
        [
            "/messaging/message/a_00b/change/",
            "/auth/user/1_00/change/",
            "/django_q/success/a_00b/change/",
            "/django_q/failure/a_00b/change/",
        ],
    )
    def test_path_with_a_quoted_one_harms_no_page(self, browser: Client, address: str) -> None:
        """Django's admin writes special characters of an id as _XX."""
        assert browser.get(address).status_code in (302, 404)


class TestMiddleware:
    @pytest.mark.parametrize(
        ("query", "kept"),
        [
            ("q=a%00b&p=2", {"q": "ab", "p": "2"}),
            ("%00q=%00", {"q": ""}),
            ("q=%0%000", {"q": ""}),
            ("q=%2500", {"q": "%00"}),
            ("q=a+b%26", {"q": "a b&"}),
        ],
    )
    def test_drops_them_from_the_query(self, query: str, kept: dict[str, str]) -> None:
        assert self.seen(f"/messaging/message/?{query}").GET.dict() == kept

    def test_leaves_callbacks_as_they_arrived(self) -> None:
        assert self.seen("/callbacks/token?q=a%00b").GET.dict() == {"q": "a\x00b"}

    def seen(self, address: str) -> HttpRequest:
        received: list[HttpRequest] = []

        def respond(request: HttpRequest) -> HttpResponse:
            received.append(request)
            return HttpResponse()

        NullCharactersMiddleware(respond)(RequestFactory().get(address))
        return received[0]
