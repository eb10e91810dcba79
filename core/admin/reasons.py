"""The reasons that staff give for decisions, with presets for a reveal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import override, pgettext_lazy

MAX_REASON_LENGTH: Final = 200

REVEAL_REASONS: Final[dict[str, Promise]] = {
    "customer": pgettext_lazy("reveal", "Customer request"),
    "complaint": pgettext_lazy("reveal", "Complaint"),
    "provider": pgettext_lazy("reveal", "Inquiry to the provider"),
    "check": pgettext_lazy("reveal", "Internal check"),
}


def reason_from(request: HttpRequest, presets: Mapping[str, Promise]) -> str:
    """The chosen preset or the typed text; empty if there is neither.

    A preset is returned in English, so that the log does not depend on the user's language.
    """
    chosen = request.POST.get("reason", "")
    if chosen in presets:
        with override("en"):
            return str(presets[chosen])
    return request.POST.get("other", "").replace("\x00", "").strip()[:MAX_REASON_LENGTH]
