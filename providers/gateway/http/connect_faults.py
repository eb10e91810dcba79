"""Say why no connection was made: by its kind, and with the fact that helps to mend it.

Nothing was sent in any of these cases.
"""

from __future__ import annotations

import errno
import socket
import ssl
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from urllib3 import exceptions

from ..vocabulary import Reason
from .body import causes

LONGEST_FACT: Final = 200
MOST_NAMES: Final = 3
"""Names of a certificate that are shown."""

_BY_VERIFY_CODE: Final = {
    9: Reason.CERT_NOT_YET_VALID,
    10: Reason.CERT_EXPIRED,
    18: Reason.CERT_SELF_SIGNED,
    19: Reason.CERT_UNKNOWN_ISSUER,
    20: Reason.CERT_UNKNOWN_ISSUER,
    21: Reason.CERT_UNKNOWN_ISSUER,
    62: Reason.CERT_OTHER_HOST,
    64: Reason.CERT_OTHER_HOST,
}
"""OpenSSL's X509_V_ERR codes (its manual page X509_STORE_CTX_get_error)."""
_NOT_TLS: Final = frozenset(
    {
        "WRONG_VERSION_NUMBER",
        "UNKNOWN_PROTOCOL",
        "HTTP_REQUEST",
        "HTTPS_PROXY_REQUEST",
        "RECORD_LAYER_FAILURE",
        "PACKET_LENGTH_TOO_LONG",
        "DATA_LENGTH_TOO_LONG",
        "ENCRYPTED_LENGTH_TOO_LONG",
        "BAD_RECORD_TYPE",
        "UNEXPECTED_RECORD",
        "RECORD_TOO_SMALL",
    }
)
"""OpenSSL's reasons for bytes that are no TLS records. They differ between its versions."""
_NO_ROUTE: Final = frozenset(
    {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL}
)


def reason_and_fact(failure: BaseException) -> tuple[Reason, str]:
    """The kind of a failed connection, and a date, name or host for its sentence, or ""."""
    for cause in causes(failure):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _certificate_fault(cause)
    kinds = {_kind_of(cause) for cause in causes(failure)}
    return next((kind for kind in _BY_PRECISION if kind in kinds), Reason.UNREACHABLE), ""


_BY_PRECISION: Final = (
    Reason.NAME_NOT_FOUND,
    Reason.NO_TLS,
    Reason.CONNECTION_REFUSED,
    Reason.CONNECTION_RESET,
    Reason.TLS_FAILED,
    Reason.NO_ROUTE,
    Reason.CONNECT_TIMED_OUT,
)


def _kind_of(cause: BaseException) -> Reason | None:
    match cause:
        case socket.gaierror():
            return Reason.NAME_NOT_FOUND
        case ssl.SSLEOFError() | ssl.SSLZeroReturnError() | ssl.SSLSyscallError():
            return Reason.CONNECTION_RESET
        case ssl.SSLError():
            return Reason.NO_TLS if cause.reason in _NOT_TLS else Reason.TLS_FAILED
        case ConnectionRefusedError():
            return Reason.CONNECTION_REFUSED
        case ConnectionError():
            return Reason.CONNECTION_RESET
        case exceptions.NewConnectionError():
            # A kind of timeout for urllib3. Its cause tells more.
            return None
        case TimeoutError() | exceptions.TimeoutError():
            return Reason.CONNECT_TIMED_OUT
        case OSError() if cause.errno in _NO_ROUTE:
            return Reason.NO_ROUTE
    return None


def _certificate_fault(error: ssl.SSLCertVerificationError) -> tuple[Reason, str]:
    code = getattr(error, "verify_code", None)
    default = Reason.CERT_OTHER_HOST if "match" in str(error) else Reason.CERT_INVALID
    reason = _BY_VERIFY_CODE.get(code, default) if isinstance(code, int) else default
    certificate = getattr(error, "presented", None)
    if not isinstance(certificate, x509.Certificate):
        return reason, ""
    with suppress(ValueError):
        return reason, _fact_of(certificate, reason)[:LONGEST_FACT]
    return reason, ""


def _fact_of(certificate: x509.Certificate, reason: Reason) -> str:
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    now = datetime.now(UTC)
    # Another certificate of the chain may be the one that is out of date.
    if reason is Reason.CERT_EXPIRED and ends < now:
        return f"{ends:%Y-%m-%d}"
    if reason is Reason.CERT_NOT_YET_VALID and begins > now:
        return f"{begins:%Y-%m-%d}"
    if reason is Reason.CERT_OTHER_HOST:
        return ", ".join(_names_of(certificate)[:MOST_NAMES])
    return ""


def _names_of(certificate: x509.Certificate) -> list[str]:
    try:
        listed = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        common = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        return [str(one.value) for one in common]
    addresses = listed.get_values_for_type(x509.IPAddress)
    return [*listed.get_values_for_type(x509.DNSName), *(str(one) for one in addresses)]


def read_certificate(connected: socket.socket, host: str) -> x509.Certificate | None:
    """The certificate that a server presents, without checking it. Sends nothing but a handshake.

    Python gives no certificate to those who refuse it, so it is asked for once more.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with (
        suppress(OSError, ValueError),
        context.wrap_socket(connected, server_hostname=host) as wrapped,
    ):
        presented = wrapped.getpeercert(binary_form=True)
        return x509.load_der_x509_certificate(presented) if presented else None
    return None
