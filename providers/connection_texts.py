"""What staff read if the portal could not connect to a provider, by the kind of fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.utils.translation import gettext_noop

from .gateway.vocabulary import Reason
from .reason_text import ReasonText

_ = gettext_noop

_TRIED: Final = _("Tried %(n)s times; next attempt at %(time)s.")
_CONTACT: Final = _(
    "Check the host name of the address. If it is correct, contact the provider: no password is"
    " sent to a server that cannot prove its identity."
)


def _text(title: str, next_step: str, plain_title: str = "") -> ReasonText:
    """A fault before anything was sent. `plain_title` is used without a date or name."""
    plain = {"text": "", **({"title": plain_title} if plain_title else {})}
    return ReasonText(title, _TRIED, next_step, "N", plain)


CONNECTION_TEXTS: Final[Mapping[str, ReasonText]] = {
    Reason.UNREACHABLE: _text(
        _("The provider could not be reached."),
        _("If this continues, check the address or use another account."),
    ),
    Reason.NAME_NOT_FOUND: _text(
        _("The host name of the provider's address was not found."),
        _(
            "Check the spelling of the address. If it is correct, tell the administrator that"
            " names cannot be resolved."
        ),
    ),
    Reason.CONNECTION_REFUSED: _text(
        _("The provider's server refused the connection."),
        _("Check the host and port of the address. If they are correct, contact the provider."),
    ),
    Reason.CONNECT_TIMED_OUT: _text(
        _("The provider's server did not accept the connection in time."),
        _(
            "If this continues, check the address, or ask the administrator whether a firewall"
            " blocks it."
        ),
    ),
    Reason.CONNECTION_RESET: _text(
        _("The connection was closed before anything was sent."),
        _("If this continues, check the port of the address, or contact the provider."),
    ),
    Reason.NO_ROUTE: _text(
        _("There is no network route to the provider's server."),
        _("Check the address. If it is correct, tell the administrator."),
    ),
    Reason.NO_TLS: _text(
        _("The provider's server does not use encryption (TLS) on this port."),
        _("Check the port of the address. Passwords are never sent unencrypted."),
    ),
    Reason.TLS_FAILED: _text(
        _("The portal and the provider's server could not agree on encryption (TLS)."),
        _("Contact the provider: its server must support TLS 1.2 or newer."),
    ),
    Reason.CERT_EXPIRED: _text(
        _("The certificate of the provider's server expired on %(detail)s."),
        _("Ask the provider to renew it. Use another account until then."),
        _("The certificate of the provider's server has expired."),
    ),
    Reason.CERT_NOT_YET_VALID: _text(
        _("The certificate of the provider's server is only valid from %(detail)s."),
        _(
            "Ask the administrator to check the clock of this server. If it is correct, contact"
            " the provider."
        ),
        _("The certificate of the provider's server is not valid yet."),
    ),
    Reason.CERT_OTHER_HOST: _text(
        _("The certificate of the provider's server belongs to another host: %(detail)s."),
        _CONTACT,
        _("The certificate of the provider's server belongs to another host."),
    ),
    Reason.CERT_SELF_SIGNED: _text(
        _("The certificate of the provider's server is self-signed."), _CONTACT
    ),
    Reason.CERT_UNKNOWN_ISSUER: _text(
        _("The certificate of the provider's server was issued by an unknown authority."),
        _CONTACT,
    ),
    Reason.CERT_INVALID: _text(
        _("The certificate of the provider's server is not valid."), _CONTACT
    ),
}
