"""The client address of a request, as far as it can be trusted."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

from django.conf import settings
from django.http import HttpRequest

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

UNIX: Final = "unix"
"""In TRUSTED_PROXIES: trust every client that connects through a Unix socket."""


def client_address(request: HttpRequest) -> Address | None:
    """The address of the client; None if it cannot be determined.

    Reads X-Forwarded-For from its end, as long as each writer is one of TRUSTED_PROXIES. Entries
    further left may be forged.
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
    """The address in a header, or None. An IPv4-mapped IPv6 address becomes IPv4."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found


@lru_cache(maxsize=256)
def parse_network(text: str) -> Network | None:
    """The network (or single address) as staff write it, or None if it is neither."""
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
