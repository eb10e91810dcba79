"""Where a request came from, as far as that can be believed."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

from django.conf import settings
from django.http import HttpRequest

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

UNIX: Final = "unix"
"""In TRUSTED_PROXIES: whoever connects through a socket file is a proxy."""


def client_address(request: HttpRequest) -> Address | None:
    """The address of whoever sent this; None where nobody can tell.

    X-Forwarded-For is read from its end, and only as long as each of those who wrote it is
    one of TRUSTED_PROXIES: what stands further left was written by whoever likes to.
    """
    seen = parse_address(str(request.META.get("REMOTE_ADDR", "")))
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", ""))
    hops = [part.strip() for part in forwarded.split(",") if part.strip()]
    while hops and _is_proxy(seen):
        seen = parse_address(hops.pop())
        if seen is None:
            return None
    return seen


def parse_address(text: str) -> Address | None:
    """An address as it stands in a header; one of IPv4 inside IPv6 is that of IPv4."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


@lru_cache(maxsize=256)
def parse_network(text: str) -> Network | None:
    """One network or address as staff write it; None where it is neither."""
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        return None


def is_within(address: Address | None, networks: list[str]) -> bool:
    return address is not None and any(
        network is not None and address.version == network.version and address in network
        for network in map(parse_network, networks)
    )


def _is_proxy(address: Address | None) -> bool:
    trusted: list[str] = settings.TRUSTED_PROXIES
    return UNIX in trusted if address is None else is_within(address, trusted)
