"""Which addresses a base URL may lead to.

Staff enter base URLs, and credentials are sent to them. So private addresses are refused twice:
when the account is saved, and again when connecting, for the very address that is connected to. A
name that resolves differently the second time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final
from urllib.parse import SplitResult, urlsplit

SocketAddress = tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]
Resolved = tuple[socket.AddressFamily, SocketAddress]

_HOST_NAME: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,252})", re.ASCII)
_NUMBER: Final = re.compile(r"0[xX][0-9A-Fa-f]*|[0-9]+", re.ASCII)
_NOT_IN_A_URL: Final = re.compile(r"[\x00-\x20\x7f\\]")
SYSTEM_PORTS: Final = range(1, 1024)
WEB_PORTS: Final = (80, 443)
OTHER_SERVICES: Final = frozenset(
    {1433, 1521, 2049, 2375, 2376, 3306, 3389, 5432, 5900, 5984, 6000, 6379, 6443, 6666, 6667}
    | {9042, 9092, 9200, 9300, 10250, 11211, 27017}
)
"""Ports above those of the system on which no provider offers HTTP, but databases and the like
listen."""
_NAT64: Final = IPv6Network("64:ff9b::/96")
_NOT_PUBLIC: Final = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",
            "168.63.129.16/32",
            "192.88.99.0/24",
            "2001::/23",
            "2002::/16",
            "3fff::/20",
            "5f00::/16",
        ),
    )
)
"""Networks that some versions of `ipaddress` treat as public: IANA's special purposes, addresses
that embed another one, and the one at which Azure tells a machine about itself."""


class ForbiddenAddress(ValueError):
    """A base URL that this installation must not call. `reason` is one of:

    `no_host`, `bad_host`, `bad_port`, `bad_characters`, `not_https`, `not_http`,
    `other_service`, `credentials_in_url`, `query_in_url`, `fragment_in_url`, `odd_address` (an IP
    address written as 2130706433, 0x7f.1 or 010.0.0.1), `unresolvable`, `private`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class AddressPolicy:
    """What the settings of this installation allow. Both are false in production."""

    allow_http: bool = False
    allow_private: bool = False

    def check(self, addresses: list[Resolved]) -> None:
        """Raise `ForbiddenAddress` if any of a host's addresses is not public.

        One private address among public ones is enough. No honest provider has such a mix.
        """
        if self.allow_private:
            return
        for _, address in addresses:
            if not _is_public(str(address[0])):
                raise ForbiddenAddress("private")


def check_base_url(url: str, policy: AddressPolicy) -> None:
    """Raise `ForbiddenAddress` unless calls to `url` are allowed. Resolves the host."""
    parts = check_syntax(url, policy)
    # Only here, when an account is saved: a provider that is in use may have an odd port.
    if parts.port is not None and not policy.allow_private and _is_of_another_service(parts.port):
        raise ForbiddenAddress("other_service")
    try:
        addresses = resolve(parts.hostname or "", parts.port or 443)
    except OSError:
        raise ForbiddenAddress("unresolvable") from None
    policy.check(addresses)


@lru_cache(maxsize=256)
def check_syntax(url: str, policy: AddressPolicy) -> SplitResult:
    """The part of `check_base_url` that needs no DNS. It runs before every call."""
    if _NOT_IN_A_URL.search(url):
        raise ForbiddenAddress("bad_characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ForbiddenAddress("bad_port" if url.count("[") < 1 else "bad_host") from None
    if parts.scheme not in ("http", "https"):
        raise ForbiddenAddress("not_http")
    if parts.scheme == "http" and not policy.allow_http:
        raise ForbiddenAddress("not_https")
    if "@" in parts.netloc:
        raise ForbiddenAddress("credentials_in_url")
    if "?" in url:
        raise ForbiddenAddress("query_in_url")
    if "#" in url:
        raise ForbiddenAddress("fragment_in_url")
    if port == 0:
        raise ForbiddenAddress("bad_port")
    _check_host(parts.hostname or "", policy)
    return parts


def _is_of_another_service(port: int) -> bool:
    """Whether a base URL with this port would only serve to try out ports of other hosts."""
    return port in OTHER_SERVICES or (port in SYSTEM_PORTS and port not in WEB_PORTS)


def _check_host(host: str, policy: AddressPolicy) -> None:
    if not host:
        raise ForbiddenAddress("no_host")
    if ":" in host:
        try:
            ip_address(host.replace("%", "no zone"))
        except ValueError:
            raise ForbiddenAddress("bad_host") from None
        return
    if not _HOST_NAME.fullmatch(host):
        raise ForbiddenAddress("bad_host")
    if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]) and not policy.allow_private:
        try:
            IPv4Address(host)
        except ValueError:
            # Resolvers read such spellings as addresses, but not all in the same way.
            raise ForbiddenAddress("odd_address") from None


def resolve(host: str, port: int) -> list[Resolved]:
    """All addresses of a host, IPv4 and IPv6. Raises OSError if there are none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError:
        raise socket.gaierror(socket.EAI_NONAME, "no such name") from None
    if not found:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")
    return [(family, address) for family, _, _, _, address in found]


def _is_public(text: str) -> bool:
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address in _NAT64:
        # Networks without IPv4 reach public IPv4 addresses through this prefix (NAT64).
        address = IPv4Address(int(address) & 0xFFFFFFFF)
    return _is_public_ip(address)


def _is_public_ip(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_unspecified
        or address.is_loopback
        or address.is_link_local
        or (isinstance(address, IPv6Address) and address.is_site_local)
        or any(address in network for network in _NOT_PUBLIC)
    )
