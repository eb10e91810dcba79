"""Go to the provider and back, as a browser would."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from tests.fakes.identity_provider import FakeProvider


def address_of(page: Any) -> str:
    """Where the page leads on to."""
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page.content.decode())
    return unescape(found[1]) if found else ""


def leave(client: Client, path: str = "/", page: str = "oidc_start", **fields: str) -> Any:
    return client.post(reverse(page), {"next": path, **fields})


def come_back(client: Client, idp: FakeProvider, page: Any, **changes: str) -> HttpResponse:
    query = {**idp.authorize(address_of(page)), **changes}
    answer: Any = client.get(reverse("oidc_return"), query)
    return answer  # type: ignore[no-any-return]


def sign_in(client: Client, idp: FakeProvider, path: str = "/", **changes: str) -> HttpResponse:
    return come_back(client, idp, leave(client, path), **changes)


def is_in(client: Client) -> bool:
    return client.get(reverse("admin:index")).status_code == 200


def text_of(answer: HttpResponse) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())
