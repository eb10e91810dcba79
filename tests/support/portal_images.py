"""The images of `deploy/`, made from Debian's packages."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from smsportal.configuration.environment import BASE_DIR
from tests.support import debian
from tests.support.docker_engine import INSIDE, Engine

SUITE: Final = "trixie"
PORTAL: Final = "smsportal:1.0.0"
PACKAGES: Final = ("ca-certificates", "postgresql-client", "python3", "python3-venv", "tzdata")
BASES: Final = {
    "BASE": f"local/base:{SUITE}",
    "BUILD_BASE": f"local/base-with-wheels:{SUITE}",
    "PIP_ARGS": "--no-index --find-links /wheels",
}
ARGUMENTS: Final = [
    part for name, value in BASES.items() for part in ("--build-arg", f"{name}={value}")
]
READ_ONLY: Final = (
    "--read-only",
    "--tmpfs=/tmp:size=256m,mode=1777,noexec,nosuid,nodev",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
    "--pids-limit=200",
)
"""As compose.yaml runs the portal."""


def make_base(engine: Engine) -> None:
    """What the Dockerfile starts from. Raises `debian.CannotFetch`."""
    import_root(engine, PACKAGES, BASES["BASE"])
    folder = engine.work / "with-wheels"
    shutil.copytree(debian.wheels(SUITE), folder / "wheels")
    build(engine, folder, f"FROM {BASES['BASE']}\nCOPY wheels /wheels\n", BASES["BUILD_BASE"])


def import_root(engine: Engine, packages: tuple[str, ...], name: str) -> None:
    tar = engine.work / "root.tar"
    shutil.copy(debian.root_tar(SUITE, packages), tar)
    engine.docker("import", str(INSIDE / tar.name), name)
    tar.unlink()


def build(engine: Engine, folder: Path, dockerfile: str, name: str) -> None:
    (folder / "Dockerfile").write_text(dockerfile)
    context = INSIDE / folder.relative_to(engine.work)
    engine.docker("build", "--quiet", "--network=none", f"--tag={name}", str(context))


def build_portal(engine: Engine) -> None:
    """By the command of the Dockerfile, from a clean copy of the project."""
    project = debian.copy_project(engine.work / "project")
    context = INSIDE / project.name
    file = f"--file={context / 'deploy/Dockerfile'}"
    engine.docker(
        "build", "--network=none", file, f"--tag={PORTAL}", *ARGUMENTS, str(context), timeout=900
    )


def send_one(pid: int, address: str, name: str, password: str) -> dict[str, float]:
    """In the network of process `pid`: sign in, send, and wait for the delivery."""
    visit = [sys.executable, "-m", "tests.deploy.visit", address, name]
    ended = subprocess.run(
        ["nsenter", f"--target={pid}", "--net", *visit],
        cwd=BASE_DIR,
        input=f"{password}\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    steps: dict[str, float] = json.loads(ended.stdout)
    return steps
