"""System checks for settings that would make the portal unsafe or unreachable for providers."""

from __future__ import annotations

import math
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.http.request import validate_host

from core.client_address import UNIX, parse_network
from providers.gateway.http.context import Deadlines

from .startup.database_errors import explain
from .startup.key_comparison import find_misfits

KEYS_HINT = (
    "Run `python -m smsportal.configuration.environment`, which generates them in the data folder."
)
OLDEST_SQLITE = (3, 35, 0)
"""The first version with UPDATE … RETURNING, which claims rows need."""
STATE_HINT = (
    "Name a folder outside DATA_DIR that the portal can write. Without it, a data folder that was"
    " restored from a copy is not noticed, and each stop of more than RESUME_WITHIN_MINUTES puts"
    " on hold what waits."
)
LOOPBACK = ("127.0.0.1", "localhost", "::1", "testserver")


@register("smsportal")
def check_keys(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: object
) -> list[CheckMessage]:
    return [*_secret_key(), *_secrets_keys()]


def _secret_key() -> Iterator[CheckMessage]:
    try:
        bool(settings.SECRET_KEY)
    except ImproperlyConfigured:
        yield Error("There is no SECRET_KEY.", hint=KEYS_HINT, id="smsportal.E001")


def _secrets_keys() -> Iterator[CheckMessage]:
    if not settings.SECRETS_KEYS:
        yield Error("There are no SECRETS_KEYS.", hint=KEYS_HINT, id="smsportal.E002")
    for number, key in enumerate(settings.SECRETS_KEYS, start=1):
        try:
            Fernet(key)
        except ValueError:
            yield Error(
                f"Key {number} of SECRETS_KEYS is malformed.",
                hint="Each must be 32 bytes in URL-safe base64, as from Fernet.generate_key().",
                id="smsportal.E003",
            )


@register(Tags.database)
def check_keys_of_database(
    app_configs: Sequence[AppConfig] | None = None,
    databases: Sequence[str] | None = None,
    **kwargs: object,
) -> list[CheckMessage]:
    """Run by `check --database default` and before migrations."""
    if not databases or "default" not in databases:
        return []
    try:
        return [Error(misfit, id="smsportal.E004") for misfit in find_misfits()]
    except DatabaseError as error:
        return [Error(explain(error), id="smsportal.E041")]


@register("smsportal")
def check_queue(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: object
) -> list[CheckMessage]:
    base: Mapping[str, Any] = settings.Q_CLUSTER
    clusters = {str(base["name"]): {}, **base.get("ALT_CLUSTERS", {})}
    found = [*_queue_safety(base)]
    for name, changes in clusters.items():
        found += _queue_times(name, {**base, **changes})
    return found


def _queue_safety(conf: Mapping[str, Any]) -> Iterator[CheckMessage]:
    if conf.get("orm") != "default":
        yield Error(
            "The queue is not in the default database.",
            hint="Only there does a task belong to the transaction that queues it.",
            id="smsportal.E010",
        )
    if conf.get("save_limit") != 0:
        yield Error(
            "The queue's save_limit is not 0.",
            hint="Otherwise each task loads all saved ones, and tasks run twice.",
            id="smsportal.E011",
        )
    if conf.get("max_attempts") != 1:
        yield Error(
            "The queue's max_attempts is not 1.",
            hint="The queue must not repeat a failed task. Its row is claimed again instead.",
            id="smsportal.E012",
        )


def _queue_times(name: str, conf: Mapping[str, Any]) -> Iterator[CheckMessage]:
    """Require retry > timeout > longest call. Otherwise a running task is handed out again."""
    timeout = conf.get("timeout")
    if timeout is None:
        return
    if timeout <= Deadlines().total:
        yield Error(
            f"Queue “{name}”: the timeout of {timeout} s is not above the {Deadlines().total:g} s"
            " that one call to a provider may take.",
            id="smsportal.E013",
        )
    rounds = 1 + math.ceil((conf["queue_limit"] + conf["bulk"]) / conf["workers"])
    needed = (timeout + 3) * rounds
    if conf["retry"] <= needed:
        yield Error(
            f"Queue “{name}”: retry is {conf['retry']} s and must be above {needed} s,"
            " because it counts from the moment when a task is fetched.",
            id="smsportal.E014",
        )


@register("smsportal")
def check_database(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: object
) -> list[CheckMessage]:
    engine = str(settings.DATABASES["default"]["ENGINE"])
    if not engine.endswith("sqlite3") or sqlite3.sqlite_version_info >= OLDEST_SQLITE:
        return []
    return [
        Error(
            f"This Python has SQLite {sqlite3.sqlite_version}; the portal needs 3.35 or newer.",
            hint="Use a newer Python or system, or PostgreSQL (DATABASE_URL).",
            id="smsportal.E040",
        )
    ]


@register("smsportal")
def check_addresses(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: object
) -> list[CheckMessage]:
    return [*_public_address(settings.PUBLIC_ADDRESS), *_hosts()]


def _public_address(address: str) -> Iterator[CheckMessage]:
    if not address:
        yield Caution(
            "PUBLIC_ADDRESS is not set, so no provider can report to the portal.",
            hint="Set it to the address that providers reach, such as https://sms.example.com.",
            id="smsportal.W020",
        )
        return
    parts = urlsplit(address)
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or not host or parts.path or parts.query:
        yield Error(
            f"PUBLIC_ADDRESS is “{address}”; it must be https://, a host, and nothing more.",
            id="smsportal.E021",
        )
        return
    if not validate_host(f"[{host}]" if ":" in host else host, settings.ALLOWED_HOSTS):
        yield Error(
            f"The host of PUBLIC_ADDRESS, {host}, is not among ALLOWED_HOSTS.",
            hint="The portal would reject the reports of providers.",
            id="smsportal.E022",
        )
    if parts.scheme == "http" and host not in LOOPBACK:
        yield Caution(
            "PUBLIC_ADDRESS is http://: codes and passwords would cross the network unencrypted.",
            id="smsportal.W023",
        )


def _hosts() -> Iterator[CheckMessage]:
    if "*" in settings.ALLOWED_HOSTS:
        yield Caution("ALLOWED_HOSTS admits every host name.", id="smsportal.W024")
    if settings.DEBUG:
        yield Caution(
            "DEBUG is on: error pages show settings and data to everyone.",
            id="smsportal.W025",
        )


@register("smsportal")
def check_names(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: object
) -> list[CheckMessage]:
    return [Caution(warning, id="smsportal.W027") for warning in settings.SETTING_WARNINGS]


@register("smsportal")
def check_proxies(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: object
) -> list[CheckMessage]:
    return [*_proxy_entries(), *_client_addresses(), *_origins()]


def _client_addresses() -> Iterator[CheckMessage]:
    """Warn if the portal cannot tell clients apart: sign-in is then locked for all of them."""
    if settings.TRUSTED_PROXIES or settings.PROXY_COUNT:
        return
    if settings.BIND.startswith("unix:"):
        yield Caution(
            "BIND is a socket file, but no setting says which proxy uses it, so the address of a"
            " client is unknown. Wrong passwords lock a user name for every client at once.",
            hint="Set TRUSTED_PROXIES=unix if only your proxy can open the file.",
            id="smsportal.W028",
        )
    elif settings.PUBLIC_ADDRESS.startswith("https://"):
        yield Caution(
            "PUBLIC_ADDRESS is https://, so a proxy serves it, but no setting names that proxy."
            " All clients seem to have its address, and wrong passwords lock a user name for"
            " every client at once.",
            hint="Set TRUSTED_PROXIES to the address of the proxy, or PROXY_COUNT=1.",
            id="smsportal.W029",
        )


def _origins() -> Iterator[CheckMessage]:
    """Warn about hosts whose forms would be refused: the portal takes them for http://."""
    if not settings.PUBLIC_ADDRESS.startswith("https://") or settings.SECURE_PROXY_SSL_HEADER:
        return
    trusted = {urlsplit(origin).hostname for origin in settings.CSRF_TRUSTED_ORIGINS}
    others = [
        host
        for host in settings.ALLOWED_HOSTS
        if host != "*" and host.strip("[].") not in {*trusted, *LOOPBACK}
    ]
    for host in others:
        yield Caution(
            f"Forms that are sent from https://{host.lstrip('.')} will be refused.",
            hint="Set BEHIND_TLS_PROXY=true if the proxy sets X-Forwarded-Proto, or add the"
            " address to CSRF_TRUSTED_ORIGINS.",
            id="smsportal.W030",
        )


def _proxy_entries() -> list[CheckMessage]:
    return [
        Error(
            f"“{entry}” in TRUSTED_PROXIES is neither a network nor an address.",
            hint="It would trust no proxy, and callbacks could be rejected.",
            id="smsportal.E026",
        )
        for entry in settings.TRUSTED_PROXIES
        if entry != UNIX and parse_network(entry) is None
    ]


@register("smsportal")
def check_state_folder(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: object
) -> list[CheckMessage]:
    return [*_state_folder(), *_resume_within()]


def _state_folder() -> Iterator[CheckMessage]:
    if not settings.STATE_DIR:
        yield Caution("There is no STATE_DIR.", hint=STATE_HINT, id="smsportal.W050")
        return
    folder, data = Path(settings.STATE_DIR).resolve(), Path(settings.DATA_DIR).resolve()
    if folder.is_relative_to(data):
        yield Caution(
            f"STATE_DIR, {folder}, is inside the data folder.", hint=STATE_HINT, id="smsportal.W051"
        )
    existing = next(place for place in (folder, *folder.parents) if place.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        yield Caution(
            f"STATE_DIR, {folder}, cannot be written.", hint=STATE_HINT, id="smsportal.W052"
        )


def _resume_within() -> Iterator[CheckMessage]:
    if settings.RESUME_WITHIN_MINUTES < 1:
        yield Error(
            f"RESUME_WITHIN_MINUTES is {settings.RESUME_WITHIN_MINUTES}; it must be at least 1.",
            id="smsportal.E053",
        )
