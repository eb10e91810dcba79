"""Which addresses alerts may go to: an allow-list of services, and for each what its address may
say.

The library that sends knows many more services and options. Some of them read files, run programs
or turn off checks of certificates, so whatever is not listed here is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from providers.gateway.http.address import AddressPolicy, ForbiddenAddress, check_base_url

LONGEST: Final = 1000
MOST_PARAMETERS: Final = 20
MAIL_PORTS: Final = frozenset({25, 465, 587, 2525})
DOTS: Final = "••••"
PING: Final = "ping"


@dataclass(frozen=True, slots=True)
class Service:
    key: str
    label: Promise | str
    schemes: tuple[str, ...]
    example: str
    plain: tuple[str, ...] = ()
    """Schemes without encryption, for receivers in a private network."""
    has_own_host: bool = True
    """Whether the address names a host. Otherwise the service has one host for everybody."""
    parameters: frozenset[str] = frozenset()
    takes_headers: bool = False
    """Whether `+Name=value` adds a header."""


MAIL: Final = Service(
    "mail",
    pgettext_lazy("alert service", "E-mail"),
    ("mailtos",),
    "mailtos://USER:PASSWORD@smtp.example.com?from=portal@example.com&to=duty@example.com",
    plain=("mailto",),
    parameters=frozenset({"from", "to", "cc", "name", "smtp", "mode", "user", "pass"}),
)
SERVICES: Final = (
    MAIL,
    Service(
        "dingtalk",
        _("DingTalk robot"),
        ("dingtalk",),
        "dingtalk://SECRET@TOKEN",
        has_own_host=False,
    ),
    Service("feishu", _("Feishu robot"), ("feishu",), "feishu://TOKEN", has_own_host=False),
    Service("lark", _("Lark robot"), ("lark",), "lark://TOKEN", has_own_host=False),
    Service("wecom", _("WeCom robot"), ("wecombot",), "wecombot://KEY", has_own_host=False),
    Service(
        "serverchan",
        pgettext_lazy("alert service", "ServerChan"),
        ("schan",),
        "schan://SENDKEY",
        has_own_host=False,
    ),
    Service("telegram", "Telegram", ("tgram",), "tgram://BOT_TOKEN/CHAT", has_own_host=False),
    Service("slack", "Slack", ("slack",), "slack://A/B/C", has_own_host=False),
    Service("discord", "Discord", ("discord",), "discord://ID/TOKEN", has_own_host=False),
    Service(
        "teams",
        "Microsoft Teams",
        ("workflow", "workflows"),
        "workflows://HOST:443/WORKFLOW/SIGNATURE",
        parameters=frozenset({"api-version"}),
    ),
    Service("ntfy", "ntfy", ("ntfys",), "ntfys://ntfy.example.com/TOPIC", plain=("ntfy",)),
    Service(
        "gotify", "Gotify", ("gotifys",), "gotifys://push.example.com/TOKEN", plain=("gotify",)
    ),
    Service("bark", "Bark", ("barks",), "barks://api.day.app/KEY", plain=("bark",)),
    Service(
        "webhook",
        _("Webhook (JSON)"),
        ("jsons",),
        "jsons://hooks.example.com/path",
        plain=("json",),
        takes_headers=True,
    ),
)


class ForbiddenTarget(ValueError):
    """An address that alerts must not go to. `reason` is one of those of `ForbiddenAddress`, or
    `unknown_service`, `unencrypted`, `too_long`, `bad_parameter`, `no_receiver`."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail
        """The name of the parameter. Never a value."""


@dataclass(frozen=True, slots=True)
class Target:
    """An address that was checked. `shown` is what pages may show of it."""

    service: str
    shown: str


def service_of(key: str) -> Service | None:
    return next((one for one in SERVICES if one.key == key), None)


def policy_of(*, allow_private: bool) -> AddressPolicy:
    return AddressPolicy(allow_http=allow_private, allow_private=allow_private)


def check_target(url: str, policy: AddressPolicy) -> Target:
    """Raise `ForbiddenTarget` unless alerts may go there. Resolves the host."""
    parts, service = check_written(url, policy)
    if not service.has_own_host:
        if not parts.netloc:
            raise ForbiddenTarget("no_host")
        return Target(service.key, f"{parts.scheme}://{DOTS}")
    _check_host(parts.hostname or "", parts.port, service, policy)
    if service is MAIL:
        _check_mail(parts, policy)
    return Target(service.key, f"{parts.scheme}://{parts.hostname}")


def check_written(url: str, policy: AddressPolicy) -> tuple[SplitResult, Service]:
    """The part of `check_target` that needs no DNS. It runs before each message, since whoever can
    write to the database could have stored another address."""
    parts = _split(url)
    service, is_plain = _find(parts.scheme)
    if is_plain and not policy.allow_http:
        raise ForbiddenTarget("unencrypted")
    _check_parameters(parts.query, service)
    if service is MAIL and not policy.allow_http:
        _check_mode(parts.query)
    return parts, service


def check_ping(url: str, policy: AddressPolicy) -> Target:
    """The same for the address that is asked each minute, which is a plain web address."""
    if len(url) > LONGEST:
        raise ForbiddenTarget("too_long")
    try:
        check_base_url(url, policy)
    except ForbiddenAddress as forbidden:
        raise ForbiddenTarget(forbidden.reason) from None
    return Target(PING, urlsplit(url).hostname or "")


def _split(url: str) -> SplitResult:
    if len(url) > LONGEST:
        raise ForbiddenTarget("too_long")
    if not url.isascii() or not url.isprintable() or any(mark in url for mark in " \\#"):
        raise ForbiddenTarget("bad_characters")
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        raise ForbiddenTarget("bad_host") from None
    return parts


def _find(scheme: str) -> tuple[Service, bool]:
    for service in SERVICES:
        if scheme in service.schemes:
            return service, False
        if scheme in service.plain:
            return service, True
    raise ForbiddenTarget("unknown_service")


def _check_parameters(query: str, service: Service) -> None:
    pairs = list(_pairs(query))
    if len(pairs) > MOST_PARAMETERS:
        raise ForbiddenTarget("bad_parameter")
    for name, _value in pairs:
        if service.takes_headers and name.startswith("+"):
            continue
        if name not in service.parameters:
            raise ForbiddenTarget("bad_parameter", name[:20])


def _pairs(query: str) -> Iterator[tuple[str, str]]:
    """Names and values as the library reads them: semicolons part them too, and neither case nor
    blanks around a name count."""
    for part in filter(None, re.split("[&;]", query)):
        name, _, value = part.partition("=")
        # A plus sign at the beginning marks a header; others are blanks.
        decoded = unquote(name[:1] + name[1:].replace("+", " "))
        yield decoded.lower().strip(), unquote(value).strip()


def _check_host(host: str, port: int | None, service: Service, policy: AddressPolicy) -> None:
    if service is MAIL and port in MAIL_PORTS:
        port = None
    name = f"[{host}]" if ":" in host else host
    try:
        check_base_url(f"https://{name}" + (f":{port}" if port is not None else ""), policy)
    except ForbiddenAddress as forbidden:
        raise ForbiddenTarget(forbidden.reason) from None


def _check_mail(parts: SplitResult, policy: AddressPolicy) -> None:
    values = dict(_pairs(parts.query))
    if "smtp" in values:
        # It takes the place of the host.
        _check_host(values["smtp"], None, MAIL, policy)
    if not values.get("to") and not parts.path.strip("/") and not parts.username:
        raise ForbiddenTarget("no_receiver")


def _check_mode(query: str) -> None:
    if dict(_pairs(query)).get("mode", "starttls") not in ("starttls", "ssl"):
        raise ForbiddenTarget("unencrypted")
