"""Take the pictures of README and docs from a demo of its own, in both languages.

python -m tools.screenshots [name …]

It starts a demo on free ports with data in a temporary folder, signs in as the demo's staff and
writes docs/screenshots/<language>/<name>.png. It needs Chromium.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests
from playwright.sync_api import Browser, Page, sync_playwright

from .palette import reduce_colours

ROOT: Final = Path(__file__).resolve().parent.parent
TARGET: Final = ROOT / "docs" / "screenshots"
LANGUAGES: Final = {"en": "en-GB", "zh-hans": "zh-CN"}
BROWSERS: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
STARTS_WITHIN: Final = 1200.0
"""Seconds. A month of history takes one or two minutes, and much longer on a busy machine."""
WIDTH, HEIGHT = 1280, 860


@dataclass(frozen=True)
class Picture:
    """A page as a member of the demo's staff sees it. `first` opens the list's first row."""

    name: str
    who: str
    path: str
    first: bool = False


PICTURES: Final = (
    Picture("dashboard", "manager", "/"),
    Picture("my-day", "operator", "/"),
    Picture("messages", "manager", "/messaging/message/"),
    Picture("message", "manager", "/messaging/message/?shown=delivered", first=True),
    Picture("figures", "manager", "/figures/"),
    Picture("batches", "manager", "/messaging/batch/"),
    Picture("batch", "manager", "/messaging/batch/?shown=finished", first=True),
    Picture("send", "operator", "/messaging/message/send/"),
    Picture("unknown", "manager", "/messaging/message/?shown=unknown&period=all", first=True),
    Picture("code", "operator", "/otp/session/?period=all", first=True),
    Picture("rent", "operator", "/rentals/order/rent/"),
    Picture("order", "operator", "/rentals/order/?shown=completed&period=all", first=True),
    Picture("approvals", "manager", "/approvals/"),
    Picture("accounts", "manager", "/providers/account/"),
    Picture("staff", "manager", "/auth/user/"),
    Picture("caps", "manager", "/providers/dailylimit/"),
    Picture("scoreboard", "manager", "/scoreboard/"),
    Picture("transactions", "manager", "/rentals/transaction/"),
    Picture("privacy", "manager", "/privacy/"),
    Picture("audit", "auditor", "/audit/entry/"),
    Picture("hosts", "manager", "/hosts/"),
    Picture("alerts", "manager", "/alerts/"),
)


def main() -> None:
    wanted = sys.argv[1:] or [picture.name for picture in PICTURES]
    with tempfile.TemporaryDirectory() as folder, _demo(Path(folder)) as address:
        passwords = _passwords(Path(folder))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=_browser(), args=["--no-sandbox", "--force-color-profile=srgb"]
            )
            for language in LANGUAGES:
                pages: dict[str, Page] = {}
                for picture in PICTURES:
                    if picture.name not in wanted:
                        continue
                    if picture.who not in pages:
                        page = pages[picture.who] = _new_page(browser, address, language)
                        _sign_in(page, picture.who, passwords[picture.who])
                    _take(pages[picture.who], picture, language)


@contextmanager
def _demo(folder: Path) -> Iterator[str]:
    web, sandbox = _free_port(), _free_port()
    environment = os.environ | {
        "DATA_DIR": str(folder / "data"),
        "STATE_DIR": str(folder / "state"),
        "ENV_FILE": "",
        "BIND": f"127.0.0.1:{web}",
        "SANDBOX_BIND": f"127.0.0.1:{sandbox}",
    }
    command = [sys.executable, "manage.py", "portal", "--demo"]
    print("The demo starts; it writes a month of history first.", flush=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            command, cwd=ROOT, env=environment, stdout=log, stderr=log
        )
        try:
            address = f"http://127.0.0.1:{web}"
            _wait_until_ready(address, process, folder / "log")
            yield address
        finally:
            process.terminate()
            process.wait(60)


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and process.poll() is None:
        try:
            requests.get(f"{address}/login/", timeout=5).raise_for_status()
        except requests.RequestException:
            time.sleep(1)
        else:
            return
    last = log.read_text(encoding="utf-8", errors="replace")[-2_000:]
    raise SystemExit(f"The demo did not start. The end of its log:\n{last}")


def _passwords(folder: Path) -> dict[str, str]:
    lines = (folder / "data" / "demo-passwords.txt").read_text(encoding="utf-8").splitlines()
    words = [line.split() for line in lines]
    return {pair[0]: pair[1] for pair in words if len(pair) == 2}


def _new_page(browser: Browser, address: str, language: str) -> Page:
    """A page of a browser of its own, which nobody has signed in with."""
    context = browser.new_context(
        timezone_id="UTC",
        base_url=address,
        locale=LANGUAGES[language],
        viewport={"width": WIDTH, "height": HEIGHT},
        reduced_motion="reduce",
    )
    return context.new_page()


def _take(page: Page, picture: Picture, language: str) -> None:
    page.goto(picture.path)
    if picture.first:
        page.locator("#result_list tbody a").first.click()
    page.wait_for_load_state("networkidle")
    target = TARGET / language / f"{picture.name}.png"
    target.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=target, scale="css", animations="disabled")
    reduce_colours(target)
    print(target.relative_to(ROOT))


def _sign_in(page: Page, who: str, password: str) -> None:
    page.goto("/login/")
    page.fill("#id_username", who)
    page.fill("#id_password", password)
    page.press("#id_password", "Enter")
    page.wait_for_url(lambda address: "login" not in address)


def _browser() -> str:
    found = [path for name in BROWSERS if (path := shutil.which(name))]
    if not found:
        raise SystemExit("Install Chromium.")
    return found[0]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
