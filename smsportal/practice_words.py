"""The names of the sandbox's faults, where the portal shows them."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FAULTS: Final[dict[str, Promise]] = {
    "slow": _("Answers slowly"),
    "never_answers": _("Never answers"),
    "reset_before": _("Cut off before the request is accepted"),
    "reset_after": _("Cut off after the request is accepted"),
    "closed_after": _("Hangs up after the request, without an answer"),
    "tls_broken": _("Encryption breaks after the request is read"),
    "trickled_headers": _("Sends its headers byte by byte"),
    "trickled_body": _("Sends its answer byte by byte"),
    "endless_headers": _("Sends headers without end"),
    "huge_header": _("Sends one header of 1 MB"),
    "keep_alive_closed": _("Hangs up after the answer, unannounced"),
    "keep_alive_reset": _("Cuts off the next request on the same connection"),
    "html_200": _("HTML error page with status 200"),
    "empty_200": _("Empty answer"),
    "json_truncated": _("Broken answer: cut off inside"),
    "json_duplicate_keys": _("Broken answer: every key twice"),
    "json_nan": _("Broken answer: NaN for every number"),
    "odd_text": _("Odd characters in its texts"),
    "contradiction": _("Answer that contradicts itself"),
    "too_many": _("Too many requests (429)"),
    "too_many_retry_after": _("Too many requests, says when to come back"),
    "huge_body": _("Answer of 2 MB"),
    "gzip_bomb": _("Small answer that unpacks to 32 MB"),
    "callback_twice": _("Reports come twice"),
    "callback_late": _("Reports come late"),
    "callback_overtaken": _("Reports come in the wrong order"),
    "callback_lost": _("Reports never come"),
}


def fault_word(fault_id: str, label: str) -> str:
    """A fault that came later than this table keeps the sandbox's own words."""
    return str(FAULTS.get(fault_id, label))
