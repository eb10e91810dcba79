"""The latency from submitting the form "Send SMS" to the provider's receipt, on an idle portal.

python -m benchmarks.latency [sends] [--rest SECONDS]

The whole portal runs as `manage.py portal` starts it. Both times come from this machine's clock.
With --rest, each send comes after so many seconds without one: after half a minute the engine looks
for work less often.
"""

from __future__ import annotations

import argparse
import random
import re
import secrets
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from . import portal

SENDS = 100
WARM_UP = 5
GAPS = (0.25, 0.75)
"""Seconds between two sends."""
STARTS_WITHIN = 120.0
ARRIVES_WITHIN = 30.0
WANTED = 0.150
"""Seconds at the 95th percentile."""
FORM_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
ROOT = Path(__file__).resolve().parent.parent


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("sends", type=int, nargs="?", default=SENDS)
    parser.add_argument("--rest", type=float, default=0.0)
    options = parser.parse_args()
    gaps = (options.rest, options.rest) if options.rest else GAPS
    warm_up = 0 if options.rest else WARM_UP
    bind = f"127.0.0.1:{_free_port()}"
    folder = portal.begin(
        "From the form to the provider", PUBLIC_ADDRESS=f"http://{bind}", BIND=bind
    )
    from .clusters import calls_of, sandbox_process

    with sandbox_process(0.05) as (remote, url):
        remote.add_account("haorui", "bench", *portal.CREDENTIALS.values())
        account = portal.make_account(url, 4)
        with _running_portal(bind, folder / "portal.log"):
            staff = Staff(f"http://{bind}", *_make_staff())
            submitted = _send(staff, account.public_id, warm_up + options.sends, gaps)
            _wait_until_sent()
        arrived = {_text_of(call): float(str(call["at"])) for call in calls_of(remote)}
    waits = [arrived[text] - at for text, at in submitted.items()][warm_up:]
    p95 = statistics.quantiles(waits, n=20)[-1]
    print(
        f"  {len(waits)} sends: median {statistics.median(waits) * 1000:.0f} ms,"
        f" 95th percentile {p95 * 1000:.0f} ms, longest {max(waits) * 1000:.0f} ms"
        f" (wanted: 95th percentile {WANTED * 1000:.0f} ms)"
    )


class Staff:
    """A signed-in member of staff."""

    def __init__(self, address: str, username: str, password: str) -> None:
        from django.urls import reverse

        self._form = address + reverse("admin:messaging_message_send")
        self._session = requests.Session()
        self._session.trust_env = False
        sign_in = address + reverse("admin:login")
        self._session.get(sign_in, timeout=30).raise_for_status()
        answer = self._session.post(
            sign_in,
            {"username": username, "password": password, "csrfmiddlewaretoken": self._csrf()},
            headers={"Referer": sign_in},
            timeout=30,
            allow_redirects=False,
        )
        assert answer.status_code == requests.codes.found, "Signing in failed."

    def send(self, account: str, recipient: str, text: str) -> float:
        """Open the form, fill it in and submit it. Returns the time of submission."""
        page = self._session.get(self._form, params={"account": account}, timeout=30)
        token = FORM_TOKEN.search(page.text)
        assert token, "This page has no form."
        fields = {
            "csrfmiddlewaretoken": self._csrf(),
            "form_token": token.group(1),
            "confirmed": "",
            "account": account,
            "recipient": recipient,
            "sms_kind": "T",
            "sender_id": "BENCH",
            "text": text,
        }
        at = time.time()
        answer = self._session.post(
            self._form,
            fields,
            headers={"Referer": self._form},
            timeout=30,
            allow_redirects=False,
        )
        assert answer.status_code == requests.codes.found, "The form was not accepted."
        return at

    def _csrf(self) -> str:
        return str(self._session.cookies.get("csrftoken"))


def _send(staff: Staff, account: str, number: int, gaps: tuple[float, float]) -> dict[str, float]:
    """Send messages, each after a gap. Returns the time of submission for each text."""
    submitted = {}
    for index in range(number):
        time.sleep(random.uniform(*gaps))
        text = f"Your parcel {index} is here."
        submitted[text] = staff.send(account, f"+86139{index:08}", text)
    return submitted


def _make_staff() -> tuple[str, str]:
    from django.contrib.auth.models import User

    password = secrets.token_urlsafe(12)
    User.objects.create_superuser("bench", password=password)
    return "bench", password


def _wait_until_sent() -> None:
    from messaging.models import Message

    deadline = time.monotonic() + ARRIVES_WITHIN
    while Message.objects.exclude(state="submitted").exists():
        assert time.monotonic() < deadline, "Not all were sent."
        time.sleep(0.1)


def _text_of(call: dict[str, object]) -> str:
    fields = call["fields"]
    return str(fields["textmessage"]) if isinstance(fields, dict) else ""


@contextmanager
def _running_portal(bind: str, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "portal", "--grace", "20"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait_until_ready(process, bind, log)
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], bind: str, log: Path) -> None:
    """Wait until the web server answers and a loop of the engine has a heartbeat."""
    from providers.engine.leases import is_engine_alive

    deadline = time.monotonic() + STARTS_WITHIN
    host, _, port = bind.rpartition(":")
    while time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.5)
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            continue
        if is_engine_alive():
            return
    raise TimeoutError("The portal did not start:\n" + log.read_text()[-2000:])


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    main()
