"""Where the portal's settings come from: the environment, `.env`, and the data folder.

The keys that encrypt sessions and provider secrets are made at the first start and kept
in `keys.env` inside the data folder, readable by its owner only, unless the environment
names them. Without Django, so that it can run before any setting is read.
"""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent


def read_environment() -> tuple[environ.Env, Path]:
    """The environment with both files read into it, and the data folder."""
    env = environ.Env()
    dotenv = Path(os.environ.get("ENV_FILE", BASE_DIR / ".env"))
    if dotenv.is_file():
        env.read_env(dotenv)
    data_dir = Path(env.str("DATA_DIR", default=str(BASE_DIR / "data"))).resolve()
    keys = data_dir / "keys.env"
    if keys.is_file():
        env.read_env(keys)
    return env, data_dir


def ensure_keys() -> Path | None:
    """Make the two keys if neither the environment nor the data folder has them.

    Returns the file that was written, or None where nothing was missing. A key that is
    lost makes every stored provider secret unreadable, so an existing file is never
    written over.
    """
    env, data_dir = read_environment()
    missing = {
        "SECRET_KEY": lambda: secrets.token_urlsafe(50),
        "SECRETS_KEYS": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }
    lines = [f"{name}={make()}\n" for name, make in missing.items() if not env.str(name, "")]
    if not lines:
        return None
    data_dir.mkdir(parents=True, exist_ok=True)
    target = data_dir / "keys.env"
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.writelines(lines)
    return target


if __name__ == "__main__":
    written = ensure_keys()
    if written:
        print(f"New keys were written to {written}. Keep a copy of that file.")
