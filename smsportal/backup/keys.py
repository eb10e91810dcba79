"""The portal's keys in a backup: digests in the manifest, the keys themselves only encrypted."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from core.key_checks import check_value, short
from smsportal.configuration.env_file import read_env_file

from . import BackupError
from .encryption import decrypt, encrypt

NAMES: Final = ("SECRET_KEY", "SECRETS_KEYS")

Digests = Mapping[str, list[str]]


def current() -> dict[str, str]:
    """The keys in use, as they are written in `keys.env`. Without those that are not set."""
    try:
        secret_key = str(settings.SECRET_KEY)
    except ImproperlyConfigured:
        secret_key = ""
    found = {"SECRET_KEY": secret_key, "SECRETS_KEYS": ",".join(settings.SECRETS_KEYS)}
    return {name: value for name, value in found.items() if value}


def where() -> str:
    """Where the keys in use come from, for a person who has to keep a copy."""
    file = Path(settings.DATA_DIR) / "keys.env"
    return str(file) if file.is_file() and _read(file) else "the environment or .env"


def digests(keys: Mapping[str, str]) -> dict[str, list[str]]:
    """The check values of the keys, as the database knows them (`core.key_checks`)."""
    split = {
        name: value.split(",") if name == "SECRETS_KEYS" else [value]
        for name, value in keys.items()
    }
    return {
        name: [check_value(name, one.strip()) for one in values] for name, values in split.items()
    }


def misfits(backup: Digests, here: Digests) -> Iterator[str]:
    """A sentence for each setting whose keys are not those of the backup."""
    for name in NAMES:
        if missing := sorted(set(backup.get(name, [])) - set(here.get(name, []))):
            found = _shown(here.get(name, [])) or "none"
            yield f"{name} is another: the backup has {_shown(missing)}, here is {found}."


def _shown(values: Iterable[str]) -> str:
    return ", ".join(map(short, values))


def share_a_key(one: Digests, other: Digests) -> bool:
    """Whether both are of one portal. After a rotation the old key is still among its keys."""
    return any(set(one.get(name, [])) & set(other.get(name, [])) for name in NAMES)


def pack(passphrase: str) -> Iterator[bytes]:
    return encrypt([json.dumps(current()).encode()], passphrase)


def unpack(path: Path, passphrase: str) -> dict[str, str]:
    with path.open("rb") as file:
        return dict(json.loads(b"".join(decrypt(file, passphrase))))


def refuse_if_fixed_elsewhere(keys: Mapping[str, str]) -> None:
    """Raise `BackupError` if the environment has other keys, since it wins over `keys.env`."""
    written = _read(Path(settings.DATA_DIR) / "keys.env")
    for name, value in current().items():
        if value not in (written.get(name), keys.get(name)):
            raise BackupError(
                f"{name} is set in the environment or in .env, which wins over the keys of the"
                " backup. Remove it there first."
            )


def install(keys: Mapping[str, str], now: datetime) -> Path | None:
    """Write `keys.env` and use its keys from here on. Returns where the former file is kept."""
    target = Path(settings.DATA_DIR) / "keys.env"
    text = "".join(f"{name}={_quoted(value)}\n" for name, value in keys.items())
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = target.with_name("keys.env.restoring")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    if _read(temporary) != dict(keys):
        temporary.unlink()
        raise BackupError("The keys of the backup cannot be written to keys.env.")
    owner = target.parent.stat()
    if os.geteuid() == 0:
        os.chown(temporary, owner.st_uid, owner.st_gid)
    kept = None
    if target.exists():
        kept = target.with_name(f"keys.env.before-restore-{now:%Y%m%dT%H%M%SZ}")
        os.link(target, kept)
    temporary.replace(target)
    settings.SECRET_KEY = keys.get("SECRET_KEY", "")
    settings.SECRETS_KEYS = [one for one in keys.get("SECRETS_KEYS", "").split(",") if one]
    return kept


def undo(kept: Path | None, *, installed: bool) -> None:
    """Put the former `keys.env` back."""
    target = Path(settings.DATA_DIR) / "keys.env"
    if kept:
        kept.replace(target)
    elif installed:
        target.unlink(missing_ok=True)


def _quoted(value: str) -> str:
    if re.fullmatch(r"[\w=,.-]+", value):
        return value
    escaped = re.sub(r'(["\\])', r"\\\1", value)
    return f'"{escaped}"'


def _read(file: Path) -> dict[str, str]:
    """The keys in a file, as the portal reads them."""
    entries = read_env_file(file).entries if file.is_file() else {}
    return {name: entries[name].value for name in NAMES if name in entries}
