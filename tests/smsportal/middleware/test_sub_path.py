"""A proxy that serves the portal below a path is told so at once."""

from __future__ import annotations

import logging

import pytest
from django.test import Client

from providers.models import Callback
from smsportal.middleware.sub_path import SENTENCE
from tests.factories.accounts import make_account
from tests.providers.callbacks.pushes import token_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("said", [{"HTTP_X_FORWARDED_PREFIX": "/sms"}, {"SCRIPT_NAME": "/sms"}])
@pytest.mark.parametrize("path", ["/", "/login/", "/static/portal/frame.css", "/no/such/page/"])
def test_request_below_a_path_gets_one_sentence(
    client: Client, said: dict[str, str], path: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = client.get(path, **said)  # type: ignore[arg-type]
    assert (answer.status_code, answer.content.decode()) == (400, SENTENCE)
    assert [SENTENCE in line for line in caplog.messages if line.startswith("400")] == [True]


@pytest.mark.parametrize("prefix", ["", "/", " / , /"])
def test_prefix_without_a_name_is_no_path(client: Client, prefix: str) -> None:
    assert client.get("/login/", HTTP_X_FORWARDED_PREFIX=prefix).status_code == 200


def test_callback_is_taken_in_all_the_same(client: Client) -> None:
    address = f"/callbacks/{token_of(make_account())}/"
    client.post(address, b"{}", "application/json", HTTP_X_FORWARDED_PREFIX="/sms")
    assert Callback.objects.count() == 1
