"""How second factors are shown: to cameras, to apps, and to browsers."""

from __future__ import annotations

import pytest
from allauth.core import context
from django.conf import LazySettings
from django.test import RequestFactory

from smsportal.sign_in.factor_adapter import FactorAdapter


def test_picture_has_a_white_ground_so_that_it_is_read_on_a_dark_page() -> None:
    assert 'fill="white"' in FactorAdapter().build_totp_svg("otpauth://totp/x?secret=ABC")


@pytest.mark.parametrize(
    ("public_address", "host"),
    [("https://sms.example.com", "sms.example.com"), ("", "localhost")],
)
def test_passkeys_belong_to_the_host_of_the_public_address(
    settings: LazySettings, public_address: str, host: str
) -> None:
    settings.PUBLIC_ADDRESS = public_address
    settings.ALLOWED_HOSTS = ["localhost"]
    request = RequestFactory().get("/", headers={"Host": "localhost:8000"})
    with context.request_context(request):
        assert FactorAdapter().get_public_key_credential_rp_entity()["id"] == host
