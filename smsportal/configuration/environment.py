"""The sources of settings: the environment, `.env`, and the data folder.

The first start generates the keys for sessions and provider secrets, unless the environment
defines them. It writes them to `keys.env` in the data folder, which only its owner can read.
Independent of Django, because it runs before settings are loaded.
"""

from __future__ import annotations

import base64
import difflib
import fcntl
import os
import re
import secrets
import sys
from pathlib import Path
from typing import Any, Final, cast

import environ

from ..log_lines import write_error, write_line
from .env_file import EnvFile, read_env_file
from .setting_kinds import Wrong
from .setting_rules import REFUSED, RULES, SECRET

BASE_DIR = Path(__file__).resolve().parents[2]
SOURCES: dict[str, str] = {}
"""The file that each setting was read from. The others come from the environment."""
EXIT_CODE: Final = os.EX_CONFIG
"""Of a process that stops because of its settings."""
ALIKE: Final = 0.85
"""How much an unknown name must look like a setting to be taken for a typing error."""
ANY_ADDRESS: Final = re.compile(r"^(127\.0\.0\.1|0\.0\.0\.0|\[::\])(?=:)")
"""Of BIND, where a browser on the same machine reaches the portal as `localhost`."""
# The names of the built-in types, which the methods of `Environment` hide.
Text = str
Whole = int
Decimal = float
Flag = bool


class Environment:
    """Reads settings by their rules. A wrong value counts as unset, until `stop_if_wrong`."""

    def __init__(self) -> None:
        self.problems: list[Text] = []
        self.warnings: list[Text] = []

    def str(self, name: Text, default: Text = "") -> Text:
        return cast("Text", self._read(name, default))

    def int(self, name: Text, default: Whole) -> Whole:
        return cast("Whole", self._read(name, default))

    def float(self, name: Text, default: Decimal) -> Decimal:
        return cast("Decimal", self._read(name, default))

    def bool(self, name: Text, default: Flag = False) -> Flag:
        return cast("Flag", self._read(name, default))

    def list(self, name: Text, default: Any) -> Any:
        return self._read(name, default)

    def db_url(self, name: Text, default: Text) -> dict[Text, Any]:
        return dict(environ.Env.db_url_config(self._read(name, default)))

    def read_file(self, file: Path) -> None:
        """Add the settings of a file that the environment does not have."""
        found = read_env_file(file)
        self.problems += found.problems
        self.warnings += _typing_errors(found, file)
        for name, entry in found.entries.items():
            if name not in os.environ:
                os.environ[name] = entry.value
                SOURCES[name] = Text(file)

    def stop_if_wrong(self, *, everything: Flag = False) -> None:
        """End this process with one line for each problem, before anything starts.

        `everything`: also look at settings that have not been read.
        """
        if everything:
            for name in sorted(RULES):
                self._read(name, None)
            self.problems += [
                f"{name} (from {source_of(name)}) {reason}."
                for name, reason in REFUSED.items()
                if os.environ.get(name, "").strip()
            ]
        if self.problems:
            # An import must not end in a traceback that hides these lines.
            write_error("\n".join(dict.fromkeys(self.problems)))
            raise SystemExit(EXIT_CODE)

    def _read(self, name: Text, default: Any) -> Any:
        if name not in RULES:
            raise LookupError(f"{name} has no rule in smsportal/configuration/setting_rules.py.")
        text = os.environ.get(name, "")
        if not text.strip():
            return default
        try:
            return RULES[name](text)
        except Wrong as wrong:
            shown = "" if name in SECRET else f"=“{text}”"
            self.problems.append(f"{name}{shown} (from {source_of(name)}) {wrong}.")
            return default


def source_of(name: str) -> str:
    return SOURCES.get(name, "the environment")


def read_environment() -> tuple[Environment, Path]:
    """The environment, including both files, and the data folder."""
    env = Environment()
    env.warnings += _foreign_typing_errors()
    dotenv = Path(env.str("ENV_FILE") or BASE_DIR / ".env")
    if os.environ.get("ENV_FILE") != "" and os.path.isfile(dotenv):  # noqa: PTH113
        env.read_file(dotenv)
    if env.bool("DEMO", default=False):
        set_demo_defaults(env)
    data_dir = Path(env.str("DATA_DIR", default=str(BASE_DIR / "data"))).resolve()
    keys = data_dir / "keys.env"
    if os.path.isfile(keys):  # noqa: PTH113 - Path.is_file raises where this user may not look
        env.read_file(keys)
    return env, data_dir


def default_state_dir() -> str:
    """The folder for state outside the data folder; empty if this user has no home."""
    try:
        home = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    except RuntimeError:
        return ""
    return str(Path(home) / "smsportal")


def set_demo_defaults(env: Environment) -> None:
    """Set the demo's defaults for variables that are not set."""
    bind = env.str("BIND", default="127.0.0.1:8000")
    sandbox = env.str("SANDBOX_BIND", default="127.0.0.1:8801")
    defaults = {
        "DATA_DIR": str(BASE_DIR / "data" / "demo"),
        "BIND": bind,
        # Browsers keep passkeys for a name, and for no number.
        "PUBLIC_ADDRESS": f"http://{ANY_ADDRESS.sub('localhost', bind)}",
        "SANDBOX_BIND": sandbox,
        "SANDBOX_URL": f"http://{sandbox}",
        "ALLOW_HTTP_PROVIDERS": "true",
        "ALLOW_PRIVATE_PROVIDERS": "true",
        # The demo's receivers of alerts are addresses of the sandbox.
        "ALLOW_PRIVATE_ALERTS": "true",
        # The last lines of a start are the address and the passwords.
        "LOG_LEVEL": "WARNING",
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
    env.stop_if_wrong(everything=True)
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not _missing_keys():
        return None
    target = data_dir / "keys.env"
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        # Another start may have written it while this one waited.
        env.read_file(target)
        file.writelines(f"{name}={_generate(name)}\n" for name in _missing_keys())
    return target


def _missing_keys() -> list[str]:
    names = ("SECRET_KEY", "SECRETS_KEYS")
    return [name for name in names if not os.environ.get(name, "").strip()]


def _generate(name: str) -> str:
    if name == "SECRET_KEY":
        return secrets.token_urlsafe(50)
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


def _typing_errors(found: EnvFile, file: Path) -> list[str]:
    return [
        f"{name} ({file}, line {entry.line}) is no setting. Do you mean {meant}?"
        for name, entry in found.entries.items()
        if (meant := _meant_by(name))
    ]


def _foreign_typing_errors() -> list[str]:
    return [
        f"{name} (from the environment) is no setting. Do you mean {meant}?"
        for name in sorted(os.environ)
        if name not in RULES and name not in SOURCES and (meant := _meant_by(name))
    ]


def _meant_by(name: str) -> str | None:
    if name in RULES:
        return None
    return next(iter(difflib.get_close_matches(name.upper(), RULES, 1, ALIKE)), None)


def main(folder: str = "") -> int:
    """`python -m smsportal.configuration.environment [FOLDER]`.

    Relative settings count from that folder.
    """
    if folder:
        os.chdir(folder)
    try:
        written = ensure_keys()
    except OSError as error:
        write_error(
            f"DATA_DIR (from {source_of('DATA_DIR')}): user id {os.geteuid()} cannot write"
            f" {error.filename}: {error.strerror}."
        )
        return EXIT_CODE
    if written:
        write_line(f"New keys were written to {written}. Keep a copy of that file.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
