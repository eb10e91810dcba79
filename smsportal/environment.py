"""The sources of settings: the environment, `.env`, and the data folder.

The first start generates the keys for sessions and provider secrets, unless the environment
defines them. It writes them to `keys.env` in the data folder, which only its owner can read.
Independent of Django, because it runs before settings are loaded.
"""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
SOURCES: dict[str, str] = {}
"""The file that each setting was read from. The others come from the environment."""


def read_environment() -> tuple[environ.Env, Path]:
    """The environment, including both files, and the data folder."""
    env = environ.Env()
    dotenv = Path(os.environ.get("ENV_FILE", BASE_DIR / ".env"))
    if dotenv.is_file():
        _read_file(env, dotenv)
    if env.bool("DEMO", default=False):
        set_demo_defaults(env)
    data_dir = Path(env.str("DATA_DIR", default=str(BASE_DIR / "data"))).resolve()
    keys = data_dir / "keys.env"
    if keys.is_file():
        _read_file(env, keys)
    return env, data_dir


def _read_file(env: environ.Env, file: Path) -> None:
    before = set(os.environ)
    env.read_env(file)
    SOURCES.update(dict.fromkeys(set(os.environ) - before, str(file)))


def set_demo_defaults(env: environ.Env) -> None:
    """Set the demo's defaults for variables that are not set."""
    bind = env.str("BIND", default="127.0.0.1:8000")
    sandbox = env.str("SANDBOX_BIND", default="127.0.0.1:8801")
    defaults = {
        "DATA_DIR": str(BASE_DIR / "data" / "demo"),
        "BIND": bind,
        "PUBLIC_ADDRESS": f"http://{bind}",
        "SANDBOX_BIND": sandbox,
        "SANDBOX_URL": f"http://{sandbox}",
        "ALLOW_HTTP_PROVIDERS": "true",
        "ALLOW_PRIVATE_PROVIDERS": "true",
        # Browsers share cookies between all ports of a host, so each instance needs a name.
        "SESSION_COOKIE_NAME": f"smsportal_demo_{bind.rpartition(':')[2]}",
    }
    for name, value in defaults.items():
        os.environ.setdefault(name, value)


def ensure_keys() -> Path | None:
    """Generate each of the two keys that neither the environment nor the data folder has.

    Returns the file that was written, or None if no key was missing. An existing file is only
    appended to: if a key is lost, every stored provider secret becomes unreadable.
    """
    env, data_dir = read_environment()
    generators = {
        "SECRET_KEY": lambda: secrets.token_urlsafe(50),
        "SECRETS_KEYS": lambda: base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
    }
    lines = [
        f"{name}={generate()}\n" for name, generate in generators.items() if not env.str(name, "")
    ]
    if not lines:
        return None
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = data_dir / "keys.env"
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.writelines(lines)
    return target


if __name__ == "__main__":
    written = ensure_keys()
    if written:
        print(f"New keys were written to {written}. Keep a copy of that file.")
