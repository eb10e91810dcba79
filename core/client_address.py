"""The client address of a request, as far as it can be trusted.

Sign-in, audit log, callbacks and the web server's log all ask here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final, TypeAlias

from django.conf import settings
from django.http import HttpRequest

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

UNIX: Final = "unix"
"""In TRUSTED_PROXIES: trust every client that connects through a Unix socket."""
UNKNOWN: Final = "0.0.0.0"  # noqa: S104 - a value to store, not to listen on
"""Stands for an unknown address where an address is required."""


def client_address(request: HttpRequest) -> Address | None:
    """The address of the client; None if it cannot be determined."""
    return address_in(request.META)


def address_in(environ: Mapping[str, Any]) -> Address | None:
    """The address of the client in a WSGI environment; None if it cannot be determined.

    Reads X-Forwarded-For from its end, as long as each writer is one of TRUSTED_PROXIES. Without
    these, the last PROXY_COUNT writers are proxies. Entries further left may be forged.
    """
    seen = parse_address(str(environ.get("REMOTE_ADDR", "")))
    forwarded = str(environ.get("HTTP_X_FORWARDED_FOR", ""))
    hops = [part.strip() for part in forwarded.split(",") if part.strip()]
    if not settings.TRUSTED_PROXIES:
        return _behind_proxies(seen, hops, settings.PROXY_COUNT)
    while hops and _is_proxy(seen):
        seen = parse_address(hops.pop())
        if seen is None:
            return None
    return seen


def address_for_lockout(request: HttpRequest) -> str:
    """The address that failed sign-ins are counted by.

    Where it is unknown, all such clients share one count: guessing passwords has to end somewhere.
    An IPv6 address counts as its network of 64 bits, which is what one customer has at least.
    """
    address = client_address(request)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, 64), strict=False).network_address)
    return str(address or UNKNOWN)


def comes_through_unnamed_proxy(request: HttpRequest) -> bool:
    """Whether a proxy on this host or network forwarded the request, and no setting names one.

    All clients then have the address of the proxy.
    """
    if settings.TRUSTED_PROXIES or settings.PROXY_COUNT:
        return False
    seen = parse_address(str(request.META.get("REMOTE_ADDR", "")))
    return "HTTP_X_FORWARDED_FOR" in request.META and (seen is None or seen.is_private)


def _behind_proxies(seen: Address | None, hops: list[str], count: int) -> Address | None:
    """Each proxy adds the address of its own client, so the outermost one added the client's.

    A request with fewer entries did not come through all proxies, so none of its entries counts.
    """
    if count == 0 or len(hops) < count:
        return seen
    return parse_address(hops[-count])


def parse_address(text: str) -> Address | None:
    """The address in a header, with or without a port, or None.

    An IPv4-mapped IPv6 address becomes IPv4.
    """
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        found = ip_address(bare)
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
