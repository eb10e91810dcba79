"""Why an alert could not be delivered, or an address is not taken, and what to do."""

from __future__ import annotations

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

ERRORS: Final[dict[str, Promise]] = {
    "private": gettext_lazy("the address leads into a private network, which is not allowed"),
    "not_understood": gettext_lazy("the service does not understand this address; enter it again"),
    "not_accepted": gettext_lazy("the service did not accept it; check the address and its keys"),
    "no_connection": gettext_lazy("no connection to the server"),
    "timeout": gettext_lazy("no answer within 25 s"),
    "unreadable": gettext_lazy("the stored address cannot be decrypted; enter it again"),
    "interrupted": gettext_lazy("interrupted while it was being sent; it may have arrived"),
    "removed": gettext_lazy("the receiver was removed or switched off"),
    "too_late": gettext_lazy("nothing was running for 12 h, so it would be outdated"),
}
TARGETS: Final[dict[str, Promise]] = {
    "unknown_service": gettext_lazy("Begin with one of the listed services, such as dingtalk://."),
    "unencrypted": gettext_lazy(
        "This connection would not be encrypted. Use the service with an “s” at the end, such as"
        " mailtos or jsons."
    ),
    "too_long": gettext_lazy("This address is too long."),
    "bad_characters": gettext_lazy(
        "Use letters, digits and signs of ASCII without blanks. Write # as %%23."
    ),
    "bad_parameter": gettext_lazy("This service does not take the option “%(detail)s” here."),
    "no_receiver": gettext_lazy("Add who gets the mail, such as ?to=duty@example.com."),
    "no_host": gettext_lazy("Add the part after //."),
    "unresolvable": gettext_lazy("No server has this name."),
    "private": gettext_lazy("The address leads into a private network, which is not allowed."),
    "other_service": gettext_lazy("This port belongs to another kind of service."),
    "not_http": gettext_lazy("Enter an address that begins with https://."),
    "not_https": gettext_lazy("Enter an address that begins with https://."),
    "query_in_url": gettext_lazy("Enter the address without ? and what follows it."),
    "fragment_in_url": gettext_lazy("Enter the address without # and what follows it."),
    "credentials_in_url": gettext_lazy("Enter the address without a user name and password."),
}


def error_text(error: str) -> str:
    status = error.removeprefix("http_")
    if status != error:
        return _("the server answered with status %(status)s") % {"status": status}
    return str(ERRORS.get(error, error))


def target_text(reason: str, detail: str = "") -> str:
    """Never shows a part of the address but the name of an option."""
    text = TARGETS.get(reason)
    if text is None:
        return _("This address cannot be used. Check the part after //.")
    return str(text) % {"detail": detail}
