"""System checks of settings that would leave nobody able to sign in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register


@register("smsportal")
def check_sign_in(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: object
) -> list[CheckMessage]:
    return [*_gaps(), *_ways_in()]


def _gaps() -> Iterator[CheckMessage]:
    if settings.IDENTITY_PROVIDER_GAPS:
        missing = ", ".join(settings.IDENTITY_PROVIDER_GAPS)
        yield Error(
            f"The identity provider is set up in part: {missing} is missing.",
            hint="Set it, or remove all settings that begin with OIDC_.",
            id="smsportal.E060",
        )


def _ways_in() -> Iterator[CheckMessage]:
    if settings.LOCAL_SIGN_IN:
        return
    if settings.IDENTITY_PROVIDER is None:
        yield Error(
            "LOCAL_SIGN_IN is false, and there is no identity provider, so nobody could sign in.",
            hint="Set OIDC_ISSUER and what belongs to it, or LOCAL_SIGN_IN=true.",
            id="smsportal.E061",
        )
    if not settings.EMERGENCY_ACCOUNT:
        yield Error(
            "LOCAL_SIGN_IN is false, and no EMERGENCY_ACCOUNT is named.",
            hint="Name an account with a password and a second factor: without it, nobody could"
            " sign in while the identity provider is down.",
            id="smsportal.E062",
        )
