"""The kinds of settings of an identity provider. Independent of Django."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from .setting_kinds import Wrong, address, host_name

LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def issuer(text: str) -> str:
    """https://, or http:// on this host, without a slash at the end."""
    value = address(text)
    parts = urlsplit(value)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise Wrong("must begin with https://")
    return value


def provider_host(text: str) -> str:
    value = host_name(text)
    if value.startswith((".", "*")):
        raise Wrong("must be one host without “*”")
    return value


def client_secret(text: str) -> str:
    if not re.fullmatch(r"[ -~]{8,500}", text.strip()):
        raise Wrong("must have at least 8 characters, all of ASCII")
    return text.strip()


def group_roles(text: str) -> dict[str, str]:
    """Pairs such as `sms-managers=manager`, separated by commas. Several groups may have one role.

    No pair names administrators: the provider never makes one.
    """
    found: dict[str, str] = {}
    for entry in filter(None, map(str.strip, text.split(","))):
        group, is_pair, role = (part.strip() for part in entry.rpartition("="))
        if not is_pair or not group or not role or len(role) > 150:
            raise Wrong(f"has the entry “{entry}”, which must be a group, “=” and a role")
        if role == "superuser":
            raise Wrong("cannot make anybody an administrator")
        if found.setdefault(group, role) != role:
            raise Wrong(f"has the group “{group}” twice, with two roles")
    return found
