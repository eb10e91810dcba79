"""When a sign-in needs the portal's second step."""

from __future__ import annotations

from typing import Any

from allauth.mfa.stages import AuthenticateStage
from django.http import HttpRequest

# The library has no types.
LibraryStage: Any = AuthenticateStage


class SecondStepStage(LibraryStage):
    def _should_handle(self, request: HttpRequest) -> bool:
        """Not if the identity provider has just asked for a factor that counts here."""
        if getattr(request, "provider_factor", False):
            return False
        return bool(super()._should_handle(request))
