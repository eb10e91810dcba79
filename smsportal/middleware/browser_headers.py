"""Headers that tell browsers what they need not keep and what no page of the portal uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponseBase

FEATURES: Final = (
    "accelerometer",
    "camera",
    "display-capture",
    "geolocation",
    "gyroscope",
    "hid",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "serial",
    "usb",
    "xr-spatial-tracking",
)
"""What no page of the portal uses, in the words of browsers."""
PERMISSIONS: Final = ", ".join(f"{feature}=()" for feature in FEATURES)
CLEARED: Final = '"cache", "storage"'
"""What a browser forgets at sign-out. Cookies stay: the language is one of them."""


class BrowserHeaders:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self.get_response(request)
        answer.headers.setdefault("Permissions-Policy", PERMISSIONS)
        if answer.headers.get("Content-Type", "").startswith("text/html"):
            answer.headers.setdefault("Cache-Control", "no-store")
        found = request.resolver_match
        if request.method == "POST" and found is not None and found.view_name == "admin:logout":
            answer.headers["Clear-Site-Data"] = CLEARED
        return answer
