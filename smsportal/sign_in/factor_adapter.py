"""How the library keeps and shows second factors here."""

from __future__ import annotations

from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import User
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.fields import UnreadableSecret, cipher, decrypt

from .account_adapter import INCORRECT
from .factors import FACTORS, needs_factor

# The library has no types.
LibraryAdapter: Any = DefaultMFAAdapter
MODULE_SIZE = 6
"""Pixels of one square of a QR code."""


def passkey_host() -> str:
    host = urlsplit(settings.PUBLIC_ADDRESS).hostname
    return host or str(context.request.get_host()).partition(":")[0]


class FactorAdapter(LibraryAdapter):
    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": INCORRECT,
        "cannot_delete_authenticator": _(
            "Your role requires a second factor. Add another one before you remove this one."
        ),
        "unreadable": _(
            "The portal's keys have changed, so it cannot check codes of this factor. Use a"
            " passkey, or ask a manager to remove the factor."
        ),
    }

    def get_totp_issuer(self) -> str:
        return f"{gettext('SMS portal')} {urlsplit(settings.PUBLIC_ADDRESS).hostname or ''}".strip()

    def get_totp_label(self, user: User) -> str:
        return user.get_username()

    def build_totp_svg(self, url: str) -> str:
        """With a white ground, so that cameras read it on a dark page too."""
        import qrcode
        from qrcode.image.svg import SvgPathFillImage

        image = qrcode.make(url, image_factory=SvgPathFillImage, box_size=MODULE_SIZE * 2)
        file = BytesIO()
        image.save(file)
        return file.getvalue().decode()

    def encrypt(self, text: str) -> str:
        return cipher().encrypt(text.encode()).decode("ascii")

    def decrypt(self, encrypted_text: str) -> str:
        try:
            return decrypt(encrypted_text)
        except UnreadableSecret:
            # An empty secret instead would be one that anybody knows.
            raise self.validation_error("unreadable") from None

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        user = authenticator.user
        others = Authenticator.objects.filter(user=user, type__in=FACTORS)
        return not needs_factor(user) or others.exclude(pk=authenticator.pk).exists()

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Passkeys belong to the host of PUBLIC_ADDRESS, by whichever name the portal is opened."""
        return {"id": passkey_host(), "name": gettext("SMS portal")}

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        entity: dict[str, Any] = super().get_public_key_credential_user_entity(user)
        return {**entity, "name": user.get_username(), "display_name": str(user)}

    def generate_authenticator_name(self, user: User, type: Any) -> str:  # noqa: A002
        count = Authenticator.objects.filter(user=user, type=type).count()
        return gettext("Passkey %(number)d") % {"number": count + 1}
