"""What browsers are told to keep, to forget and to allow."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db

PAGES = ["index", "password_change", "password_change_done", "jsi18n", "messaging_message_send"]


@pytest.mark.parametrize("name", PAGES)
def test_page_of_staff_is_not_stored(client: Client, name: str) -> None:
    client.force_login(make_user(is_superuser=True))
    answer = client.get(reverse(f"admin:{name}"))
    if answer["Content-Type"].startswith("text/html"):
        assert "no-store" in answer["Cache-Control"]
    assert "camera=()" in answer["Permissions-Policy"]


def test_browser_forgets_everything_at_sign_out(client: Client) -> None:
    client.force_login(make_staff("operator"))
    answer = client.post(reverse("admin:logout"))
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert "Clear-Site-Data" not in client.get(reverse("admin:login"))


@pytest.mark.parametrize(
    "path",
    [
        "//callbacks/abcdefghijklmnopqrstuvwxyz012345",
        "///callbacks/abcdefghijklmnopqrstuvwxyz012345/",
        "/Callbacks/abcdefghijklmnopqrstuvwxyz012345",
        "/callback/abcdefghijklmnopqrstuvwxyz012345",
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_mistyped_callback_address_is_repeated_nowhere(
    client: Client, path: str, method: str
) -> None:
    # As a server passes it on: the client would take a doubled slash for a host.
    answer = getattr(client, method)("/", PATH_INFO=path)
    assert answer.status_code == 404
    assert "abcdefgh" not in answer.content.decode() + str(answer.headers)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "["])
@pytest.mark.parametrize("path", ["/login/", "/", "/callbacks/x", "/static/portal/portal.css"])
def test_unknown_host_is_refused_in_one_line(
    client: Client, caplog: pytest.LogCaptureFixture, host: str, path: str
) -> None:
    answer = client.get(path, headers={"host": host})
    assert answer.status_code == 400
    assert "Traceback" not in caplog.text
