"""No credential, callback token or code in clear, anywhere but where it belongs.

Unmistakable values are planted as all of them, the portal is put through everything that it
can do today, failures foremost, and then everything that it wrote or shows is searched: every
column of every table with what is packed in it, the database's file, the cache, the log of
each process at DEBUG, each page that anybody can reach, dumps, and the processes' command
lines. It is done once with the portal in this process and once with real ones. Slow runs try
every disguise of a provider; the pages are searched beside the first database only.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import html
import json
import logging
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache as remembered
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from django.conf import settings as django_settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.cache.backends import locmem
from django.core.management import call_command
from django.db import connection, connections
from django.db.models import QuerySet
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django_q.models import OrmQ, Task
from django_q.signing import SignedPackage
from django_q.tasks import async_task
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from core.fields import StoredSecret
from core.redaction import spellings
from messaging.models import Message
from providers import accounts
from providers.callbacks import process
from providers.engine.loop import Loop
from providers.models import Account, Callback, CallbackToken, Credential, Enquiry
from sandbox.server import Sandbox
from smsportal.environment import BASE_DIR
from tests.factories.accounts import NOWHERE, make_account
from tests.factories.messages import make_message
from tests.factories.staff import make_user
from tests.support.processes import descendants_of
from tests.support.wait_until import wait_until

SECRETS = {
    "haosms": {"api_key": "CANARY-haosms-key-7f3a"},
    "haorui": {"api_id": "CANARYhaoruiId5b", "api_password": "CANARY p@ss/w:rd+Ü 9c"},
    "otpservice": {"username": "CANARYotpUser2d", "password": "CANARY&otp=pass%40 4e"},
    "gosms": {"api_key": "ch_CANARYgosmsKey8a"},
}
CODES = ("Qz7Kx9", "Wv4Jh8")
STAFF_PASSWORD = "CANARY-staff-password-1f"
WRONG_PASSWORD = "CANARY-wrong-password-6d"
NEW_PASSWORD = "CANARY-new-password-3c"
TEXT = "CANARYTEXT your parcel is here"
NUMBER = "13912345678"
ROLES = ("viewer", "operator", "manager", "auditor")
OPTIONS = {
    "haosms": {"option_channels": "验证码通道1", "option_default_template": "2"},
    "haorui": {"option_sender_ids": "HAORUI"},
    "otpservice": {"option_phone_format": "digits"},
    "gosms": {},
}
LAST_RESORT = 120.0
PRACTICE = "/practice/"
"""Stands for the telephones, so whoever may reveal numbers sees there what arrived."""
ZLIB = 0x78
"""What packed bytes begin with."""
PAGES_OF_A_KIND = 2
"""So many messages, calls, accounts … each person looks at; a manager at six times as many,
and so at every account."""
ECHO_MODES = ("refusal", "page", "redirect", "header")
"""The disguises in which a provider sends back what it was sent."""


# --- searching -------------------------------------------------------------


def passwords() -> set[str]:
    own = {value for secrets in SECRETS.values() for value in secrets.values()}
    return own | {STAFF_PASSWORD, WRONG_PASSWORD, NEW_PASSWORD}


def tokens() -> set[str]:
    return {token.value.reveal() for token in CallbackToken.objects.all()}


def forbidden() -> set[str]:
    """What may stand nowhere at all."""
    return passwords() | tokens() | set(CODES)


def unpacked(value: object) -> str:
    """A value as text, together with what is packed in it in one of the usual ways."""
    raw = bytes(value) if isinstance(value, bytes | bytearray | memoryview) else str(value).encode()
    found = [raw]
    with contextlib.suppress(binascii.Error):
        found.append(base64.b64decode(raw.strip(), validate=True))
    for each in list(found):
        for start in (at for at, byte in enumerate(each[:200]) if byte == ZLIB):
            try:
                found.append(zlib.decompressobj().decompress(each[start:]))
            except zlib.error:
                continue
            break
    return "\n".join(each.decode("utf-8", "replace") for each in found)


@remembered
def all_spellings(value: str) -> frozenset[str]:
    return frozenset({value, *spellings(value)})


def leaks(wanted: Iterable[str], place: str, content: object) -> list[str]:
    """Where one of the wanted values stands in the content, in any spelling."""
    text = unpacked(content)
    found = islice(pattern_of(frozenset(wanted)).finditer(text), 3)
    return [f"{place}: in {text[max(0, hit.start() - 80) : hit.start() + 20]!r}" for hit in found]


@remembered
def pattern_of(values: frozenset[str]) -> re.Pattern[str]:
    """Any of the values in any spelling, found in one go."""
    known = {spelling for value in values for spelling in all_spellings(value)}
    return re.compile("|".join(map(re.escape, sorted(known))) or r"(?!)")


def tables() -> Iterator[tuple[str, object]]:
    """Every value in every column of every table, whoever made the table."""
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            names = [column[0] for column in cursor.description or ()]
            for row in cursor.fetchall():
                for name, value in zip(names, row, strict=True):
                    yield f"{table}.{name}", value


def packed_rows() -> Iterator[tuple[str, object]]:
    """What the queue and the sessions keep, unpacked as they do it."""
    for waiting in OrmQ.objects.all():
        yield "queue", repr(SignedPackage.loads(waiting.payload))
    for task in Task.objects.all():
        yield "task", repr((task.func, task.args, task.kwargs, task.result))
    for session in Session.objects.all():
        yield "session", repr(SessionStore(session.session_key).load())


def caches(folder: Path | None) -> Iterator[tuple[str, object]]:
    for name, content in locmem._caches.items():  # type: ignore[attr-defined]
        for key, value in content.items():
            yield f"cache {name}", repr((key, pickle.loads(value)))
    if folder is not None:
        for file in folder.rglob("*"):
            if file.is_file() and file.name != "keys.env" and "static" not in file.parts:
                yield f"file {file.name}", file.read_bytes()


def database_files() -> Iterator[tuple[str, object]]:
    """What was deleted may still stand in the file."""
    if connection.vendor == "sqlite":
        path = Path(str(connection.settings_dict["NAME"]))
        for file in path.parent.glob(f"{path.name}*"):
            # Read by somebody else: a process that closes this file loses the locks that its
            # own SQLite has on it, and the next one to come takes the database for unused.
            done = subprocess.run(["cat", file], capture_output=True, check=True)
            yield f"file {file.name}", done.stdout.decode("latin-1")


def squeeze() -> None:
    """What other tests planted and deleted goes from the file."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def dump() -> str:
    out = StringIO()
    call_command("dumpdata", stdout=out)
    return out.getvalue()


def found_at_rest(folder: Path | None = None) -> list[str]:
    wanted = forbidden()
    places = [*tables(), *packed_rows(), *caches(folder), *database_files(), ("dump", dump())]
    return [leak for place, content in places for leak in leaks(wanted, place, content)]


def texts_at_rest() -> set[str]:
    return {place for place, content in tables() if "CANARYTEXT" in unpacked(content)}


# --- a provider that gives everything back -----------------------------------


class Echo(ThreadingHTTPServer):
    """Answers each call with all that it was sent, in one disguise or another."""

    mode = "refusal"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), EchoHandler)
        self.calls = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class EchoHandler(BaseHTTPRequestHandler):
    server: Echo

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        pairs = [*parse_qsl(urlsplit(self.path).query), *parse_qsl(body)]
        said = f"{self.path} {dict(self.headers)} {body} {pairs}"
        self.server.calls += 1
        status, headers, answer = 200, {"Content-Type": "application/json"}, b""
        match self.server.mode:
            case "refusal":
                names = ("remarks", "msg", "MSG", "error", "message")
                fixed = {"status": "F", "result": "失败", "STATUS": "ERROR", "CODE": "400"}
                answer = json.dumps({**dict.fromkeys(names, said), **fixed}).encode()
            case "page":
                status = 502
                answer = f"<html><p>{html.escape(said)}</p></html>".encode()
            case "redirect":
                status, headers = 302, {"Location": f"/elsewhere{self.path}"}
            case "header":
                headers = {"X-Echo": said.encode("unicode_escape").decode()}
                answer = said.encode()
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(answer))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST  # noqa: N815 - as the library calls it

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def echo() -> Iterator[Echo]:
    with Echo() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


# --- the portal, here or in processes of its own ------------------------------


class Here:
    """Web server and engine in threads of this process. What a database says, in its errors
    too, is seen here; what real processes say of their own is the same on any."""

    folder: Path | None = None

    def __init__(self, address: str, logged: pytest.LogCaptureFixture) -> None:
        self.address = address
        self._logged = logged
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            Loop(self._stop.is_set).run()
        finally:
            connections.close_all()

    def command_lines(self) -> str:
        return ""

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def log(self) -> str:
        format_ = logging.Formatter("%(name)s %(message)s").format
        return "\n".join(f"{format_(record)} {record.args}" for record in self._logged.records)


class Apart:
    """`manage.py portal` on the test database."""

    def __init__(self, folder: Path, sandbox: Sandbox, static: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            bind = f"127.0.0.1:{probe.getsockname()[1]}"
        self.address = f"http://{bind}"
        self.folder: Path | None = folder / "data"
        self._output = folder / "output"
        environment = {
            "PATH": os.environ["PATH"],
            "ENV_FILE": "",
            "DATA_DIR": str(self.folder),
            # Collecting takes eight seconds; the demonstration of test_portal.py does it anew.
            "STATIC_ROOT": str(static),
            "DATABASE_URL": database_url(),
            "SECRET_KEY": django_settings.SECRET_KEY,
            "SECRETS_KEYS": ",".join(django_settings.SECRETS_KEYS),
            "ALLOW_HTTP_PROVIDERS": "true",
            "ALLOW_PRIVATE_PROVIDERS": "true",
            "PUBLIC_ADDRESS": self.address,
            "SANDBOX_URL": sandbox.url,
            "BIND": bind,
            "WEB_PROCESSES": "1",
            "LOG_LEVEL": "DEBUG",
        }
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, str(BASE_DIR / "manage.py"), "portal", "--grace", "20"],
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        wait_until(self._is_ready, at_most=LAST_RESORT)

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.log()
        return "The portal is ready" in self.log()

    def command_lines(self) -> str:
        pids = {self.process.pid, *descendants_of(self.process.pid)}
        listed = ["ps", "-ww", "-o", "args=", "-p", ",".join(map(str, pids))]
        return subprocess.run(listed, capture_output=True, text=True, check=True).stdout

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(LAST_RESORT)

    def log(self) -> str:
        return self._output.read_text()


Place = Here | Apart


def database_url() -> str:
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return f"sqlite:///{name}"
    given = os.environ["DATABASE_URL"]
    parts = urlsplit(given)
    return given.replace(f"{parts.netloc}{parts.path}", f"{parts.netloc}/{name}", 1)


@pytest.fixture
def sandbox(settings: Settings) -> Iterator[Sandbox]:
    with Sandbox() as running:
        for provider in ("haorui", "otpservice"):
            running.change_settings(provider, report_delay=None)
        for provider, secrets in SECRETS.items():
            values = list(secrets.values())
            running.add_account(provider, "canary", *values)
        settings.SANDBOX_URL = running.url
        yield running


@pytest.fixture
def staff(transactional_db: None, settings: Settings) -> dict[str, User]:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    # They have one password, and hashing it takes long.
    rows = {"password": make_password(STAFF_PASSWORD), "is_staff": True}
    found = {"chief": User.objects.create(username="chief", is_superuser=True, **rows)}
    for role in ROLES:
        found[role] = User.objects.create(username=f"the-{role}", **rows)
        found[role].groups.add(Group.objects.get(name=role))
    return found


@pytest.fixture(params=["here", pytest.param("apart", marks=pytest.mark.slow)])
def place(
    request: pytest.FixtureRequest,
    staff: dict[str, User],
    sandbox: Sandbox,
    settings: Settings,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Place]:
    running: Place
    if request.param == "here":
        caplog.set_level(logging.DEBUG)
        server: LiveServer = request.getfixturevalue("live_server")
        settings.PUBLIC_ADDRESS = server.url
        running = Here(server.url, caplog)
    else:
        running = Apart(tmp_path, sandbox, request.config.cache.mkdir("static"))
    yield running
    running.stop()


# --- what staff do -------------------------------------------------------------


class Person:
    """Somebody with a session, and every page that they were shown."""

    def __init__(self, place: Place, name: str) -> None:
        self.name = name
        self.pages: dict[str, str] = {}
        self._address = place.address
        self._session = requests.Session()
        self._session.trust_env = False

    def sign_in(self, password: str = STAFF_PASSWORD) -> Person:
        typed = {"username": self.name, "password": password, "next": "/"}
        self.send(reverse("admin:login"), typed)
        return self

    def open(self, path: str) -> requests.Response:
        return self._keep(path, self._session.get(self._address + path, timeout=LAST_RESORT))

    def send(
        self, path: str, values: Mapping[str, object], *, keep: bool = True
    ) -> requests.Response:
        token = self._session.cookies.get("csrftoken") or self._token(path)
        sent = {"csrfmiddlewaretoken": token, **values}
        answer = self._session.post(self._address + path, data=sent, timeout=LAST_RESORT)
        return self._keep(f"POST {path}", answer) if keep else answer

    def _token(self, path: str) -> str:
        self._session.get(self._address + path, timeout=LAST_RESORT)
        return str(self._session.cookies.get("csrftoken"))

    def _keep(self, path: str, answer: requests.Response) -> requests.Response:
        history = [f"{each.headers} {each.url}" for each in (*answer.history, answer)]
        # The same page at another moment may say something else.
        self.pages[f"{path} #{len(self.pages)}"] = "\n".join([*history, answer.text])
        return answer

    def crawl(self) -> int:
        """Every page that links lead to; of each list one more way to sort or filter it."""
        seen: Counter[str] = Counter()
        kinds: Counter[str] = Counter()
        most = 6 * PAGES_OF_A_KIND if self.name == "the-manager" else PAGES_OF_A_KIND
        waiting = ["/"]
        done: set[str] = set()
        while waiting:
            path = waiting.pop()
            bare = path.partition("?")[0]
            kind = kind_of(bare)
            often = 2 if kind.endswith("list") else 1
            if path in done or seen[bare] >= often or bare.startswith("/static/"):
                continue
            if seen[bare] == 0:
                if kinds[kind] >= most:
                    continue
                kinds[kind] += 1
            seen[bare] += 1
            done.add(path)
            answer = self.open(path)
            assert answer.status_code < 500, path
            links = re.findall(r'(?:href|hx-get)="([^"#]+)"', answer.text)
            for link in map(html.unescape, links):
                joined = f"{bare}{link}" if link.startswith("?") else link
                if joined.startswith("/") and "logout" not in joined:
                    waiting.append(joined)
        return len(done)

    def leave(self) -> None:
        self._session.close()


@remembered
def kind_of(path: str) -> str:
    """Pages of one kind differ in what they are about only."""
    try:
        return str(resolve(path).url_name)
    except Resolver404:
        return path


def account_values(provider: str, address: str, name: str) -> dict[str, object]:
    secrets = {f"secret_{key}": value for key, value in SECRETS[provider].items()}
    pace = {"per_second": "100", "per_minute": "6000", "in_flight": "4"}
    own = {"name": name, "base_url": address, "allowed_countries": "CN", "seen": "{}"}
    return {**own, **pace, **secrets, **OPTIONS[provider]}


def make_accounts(manager: Person, sandbox: Sandbox, echo: Echo) -> None:
    """Each with a failed form first, then edited, checked and read."""
    for provider in SECRETS:
        path = reverse("admin:providers_account_add") + f"?provider={provider}"
        for address, name in (
            (sandbox.base_url(provider), f"{provider} practice"),
            (echo.url, f"{provider} echo"),
            (NOWHERE, f"{provider} nowhere"),
        ):
            values = account_values(provider, address, name)
            failed = manager.send(path, {**values, "allowed_countries": ""})
            assert failed.status_code == 200
            manager.send(path, values)
    assert Account.objects.count() == 12
    for account in Account.objects.all():
        page = reverse("admin:providers_account_change", args=[account.public_id])
        values = account_values(account.provider, account.base_url, account.name)
        manager.send(page, {**values, "name": ""})
        manager.open(page)


def ask_everywhere(manager: Person) -> None:
    for account in Account.objects.all():
        path = reverse("admin:providers_account_check", args=[account.public_id])
        manager.send(path, {})
        manager.send(path, {"balance": "1"})
    wait_until(
        lambda: not Enquiry.objects.filter(state__in=("queued", "claimed")).exists(),
        at_most=LAST_RESORT,
    )


def send_from(person: Person, account: Account, number: str, *, code: str = CODES[0]) -> None:
    page = person.open(reverse("admin:messaging_message_send") + f"?account={account.public_id}")
    token = re.search(r'name="form_token" value="([^"]+)"', page.text)
    values = {
        "account": account.public_id,
        "recipient": number,
        "form_token": token[1] if token else "",
        "text": TEXT,
        "sms_kind": "T",
        "sender_id": "HAORUI",
        "channel": "验证码通道1",
        "template": "2",
        "code": code,
    }
    # A form that comes back holds what this person has just typed, as it should.
    own = reverse("admin:messaging_message_send")
    person.send(own, {**values, "recipient": "139"}, keep=False)
    answer = person.send(own, values)
    taken = "/change/" in answer.url or answer.status_code == 500
    assert taken, re.findall(r'class="note[^>]*>.*?</div>', answer.text, re.DOTALL)


def send_code_from(person: Person, account: Account, number: str, *, code: str) -> None:
    """A session whose code staff typed, then a wrong and the right answer on the phone."""
    path = reverse("admin:otp_session_send")
    values = {
        "account": account.public_id,
        "recipient": number,
        "form_token": f"{account.pk}{number}",
        "sender_id": "HAORUI",
        "channel": "验证码通道1",
        "template": "2" if account.provider == "haosms" else "en",
        "maker": "typed",
        "typed": code,
        "minutes": "10",
    }
    answer = person.send(path, values)
    assert "/change/" in answer.url
    wait_until(all_ended, at_most=LAST_RESORT)
    check = urlsplit(answer.url).path.replace("/change/", "/check/")
    for serial, said in enumerate(("000000", code)):
        person.send(check, {"code": said, "form_token": f"{account.pk}{number}{serial}"})


def senders(kind: str) -> QuerySet[Account]:
    found = Account.objects.filter(name__endswith=kind).exclude(provider="gosms")
    found.update(paused_at=None, pause_reason="", pause_words="")
    return found


def all_ended() -> bool:
    return not Message.objects.filter(state__in=("queued", "claimed", "sending")).exists()


def send_everything(operator: Person, sandbox: Sandbox, echo: Echo, modes: tuple[str, ...]) -> None:
    numbers = (f"139{serial:08}" for serial in range(12345678, 22345678, 1111))
    for account in senders("practice"):
        send_from(operator, account, next(numbers))
    wait_until(all_ended, at_most=LAST_RESORT)
    for account in senders("practice").exclude(provider="otpservice"):
        send_code_from(operator, account, next(numbers), code=CODES[0])
    for fault in ("html_200", "json_truncated", "reset_after", "too_many_retry_after"):
        sandbox.faults.set(fault)
        account = Account.objects.get(name="haosms practice")
        send_from(operator, account, next(numbers), code=CODES[1])
        wait_until(lambda: not waiting_at("practice"), at_most=LAST_RESORT)
    for mode in modes:
        echo.mode = mode
        for account in senders("echo"):
            send_from(operator, account, next(numbers), code=CODES[1])
        wait_until(lambda: not waiting_at("echo"), at_most=LAST_RESORT)
        if mode in ("refusal", "page"):
            account = senders("echo").get(provider="haorui")
            send_code_from(operator, account, next(numbers), code=CODES[1])
            # The next disguise is not for what is still under way in this one.
            wait_until(lambda: not waiting_at("echo"), at_most=LAST_RESORT)
    for account in senders("nowhere"):
        send_from(operator, account, next(numbers))
    wait_until(all_ended_without_pauses, at_most=LAST_RESORT)


def all_ended_without_pauses() -> bool:
    """What waits for its next try has it now."""
    pausing = Message.objects.filter(state="queued", not_before__gt=timezone.now())
    if pausing.exists():
        pausing.update(not_before=timezone.now())
    return all_ended()


def waiting_at(kind: str) -> bool:
    states = ("queued", "claimed", "sending")
    return Message.objects.filter(account__name__endswith=kind, state__in=states).exists()


def lose_a_key(manager: Person, operator: Person) -> None:
    """A stored secret that no key opens any more: the page and the send must not break."""
    account = Account.objects.get(name="haorui practice")
    stored = account.credentials.get(name="api_password")
    Credential.objects.filter(pk=stored.pk).update(value=StoredSecret("gAAAAA-not-a-token"))
    manager.open(reverse("admin:providers_account_change", args=[account.public_id]))
    Account.objects.filter(pk=account.pk).update(paused_at=None)
    send_from(operator, account, "13800138000")
    wait_until(all_ended, at_most=LAST_RESORT)


def push_callbacks(place: Place, manager: Person) -> None:
    """Reports with whole numbers, to right and wrong addresses; one is turned over by hand."""
    account = Account.objects.get(name="haorui practice")
    message = Message.objects.filter(account=account).latest("pk")
    url = f"{place.address}/callbacks/{account.callback_tokens.get().value.reveal()}"
    report = {"DLRStatus": "Delivered", "PhoneNumber": message.recipient.strip("+")}
    for uid in (message.reference, "f" * 32):
        assert requests.post(f"{url}/", json={**report, "uid": uid}, timeout=LAST_RESORT).ok
    assert requests.put(f"{url}/", timeout=LAST_RESORT).status_code == 405
    assert requests.post(f"{url}x/", json=report, timeout=LAST_RESORT).status_code == 404
    wait_until(lambda: all_digested(place), at_most=LAST_RESORT)
    unmatched = Callback.objects.get(state="unmatched")
    manager.send(reverse("admin:providers_callback_again", args=[unmatched.public_id]), {})
    manager.send(reverse("admin:providers_account_test_address", args=[account.public_id]), {})


def all_digested(place: Place) -> bool:
    if isinstance(place, Here):
        process.process_due()
    return not Callback.objects.filter(state="received").exists()


def look_after_staff(chief: Person) -> None:
    add = reverse("admin:auth_user_add")
    both = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD, "usable_password": "true"}
    chief.send(add, {"username": "", **both})
    chief.send(add, {"username": "somebody-new", **both})
    new = User.objects.get(username="somebody-new")
    page = reverse("admin:auth_user_password_change", args=[new.pk])
    chief.send(page, {**both, "password2": WRONG_PASSWORD})
    own = {"old_password": WRONG_PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": "x"}
    chief.send(reverse("admin:password_change"), own)


def settle_and_reveal(manager: Person) -> None:
    message = Message.objects.filter(state="unknown", kind="text").first()
    assert message is not None
    values = {"outcome": "sent", "reason": "console"}
    manager.send(reverse("admin:messaging_message_settle", args=[message.public_id]), values)
    reveal = reverse("admin:messaging_message_reveal", args=[message.public_id])
    shown = manager.send(reveal, {"reason": "check"}, keep=False)
    assert "CANARYTEXT" in shown.text


def break_down(manager: Person, operator: Person, broken: pytest.MonkeyPatch) -> None:
    """Faults of ours while secrets and codes are in hand: only in this process."""

    def fail(*arguments: object, **values: object) -> Any:
        raise RuntimeError("something of ours broke")

    with broken.context() as patch:
        patch.setattr(accounts, "create_account", fail)
        path = reverse("admin:providers_account_add") + "?provider=gosms"
        values = account_values("gosms", NOWHERE, "never made")
        assert manager.send(path, values).status_code == 500
    with broken.context() as patch:
        patch.setattr("messaging.queue_message.queue", fail)
        send_from(operator, Account.objects.get(name="haosms practice"), "13800138001")
    with broken.context() as patch:
        patch.setattr("messaging.engine.source.build_request", fail)
        send_from(operator, Account.objects.get(name="haosms practice"), "13800138002")
        wait_until(all_ended)


# --- the tests -------------------------------------------------------------------


@pytest.fixture
def people(place: Place, staff: dict[str, User]) -> Iterator[dict[str, Person]]:
    found = {role: Person(place, user.username) for role, user in staff.items()}
    yield found
    for person in found.values():
        person.leave()


def page_leaks(people: dict[str, Person]) -> list[str]:
    found = []
    addresses = tokens()
    for role, person in people.items():
        sees_everything = role in ("manager", "chief")
        for path, content in person.pages.items():
            wanted = passwords()
            # These two may see callback addresses as well.
            practice = sees_everything and path.startswith(PRACTICE)
            if not practice:
                wanted |= set(CODES)
            if not (practice or (sees_everything and "/providers/account/" in path)):
                wanted |= addresses
            found += leaks(wanted, f"{role} {path}", content)
    return found


def unmasked(person: Person) -> list[str]:
    """Pages with a text or a whole number that this person did not send."""
    numbers = set(Message.objects.values_list("recipient", flat=True))
    found = []
    for path, content in person.pages.items():
        digits = re.sub(r"(?<=\d)[ \u00a0-](?=\d)", "", content)
        whole = [number for number in numbers if number[3:] in digits]
        if whole or "CANARYTEXT" in content:
            found.append(f"{path} {whole[:1]}")
    return found


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "modes", [ECHO_MODES[:2], pytest.param(ECHO_MODES, marks=pytest.mark.slow)], ids=len
)
def test_nothing_secret_stands_anywhere(
    modes: tuple[str, ...],
    place: Place,
    people: dict[str, Person],
    sandbox: Sandbox,
    echo: Echo,
    monkeypatch: pytest.MonkeyPatch,
    pytestconfig: pytest.Config,
) -> None:
    squeeze()
    people["viewer"].sign_in(WRONG_PASSWORD)
    for person in people.values():
        person.sign_in()
    manager, operator = people["manager"], people["operator"]
    # A second database is there for its own errors and tables: the pages are the same.
    is_first = not pytestconfig.getoption("--second-database")

    make_accounts(manager, sandbox, echo)
    ask_everywhere(manager)
    send_everything(operator, sandbox, echo, modes)
    settle_and_reveal(manager)
    push_callbacks(place, manager)
    look_after_staff(people["chief"])
    lose_a_key(manager, operator)
    if isinstance(place, Here):
        break_down(manager, operator, monkeypatch)
    assert echo.calls > len(modes)
    assert set(Message.objects.values_list("state", flat=True)) >= {"submitted", "unknown"}
    command_lines = place.command_lines()
    if isinstance(place, Here):
        # The pages are the same wherever they are made, and need no engine that runs beside.
        place.stop()
    if isinstance(place, Here) and is_first:
        visited = {role: person.crawl() for role, person in people.items()}
        assert min(visited.values()) > 10, visited
    at_rest = found_at_rest(place.folder)
    place.stop()

    assert at_rest == []
    assert leaks(forbidden(), "log", place.log()) == []
    assert "CANARYTEXT" not in place.log()
    assert leaks(forbidden(), "command line", command_lines) == []
    assert page_leaks(people) == []
    assert unmasked(people["viewer"]) == []
    assert unmasked(people["auditor"]) == []
    assert texts_at_rest() == {"messaging_message.text"}


@pytest.mark.parametrize("place", ["here"], indirect=True)
def test_a_callback_that_is_refused_leaves_no_token_in_the_log(place: Place) -> None:
    account = accounts.create_account(
        name="one", provider="haorui", base_url=NOWHERE, credentials=SECRETS["haorui"]
    )
    for token in account.callback_tokens.all():
        address = f"{place.address}/callbacks/{token.value.reveal()}/elsewhere/"
        requests.post(address, timeout=LAST_RESORT)
    assert leaks(tokens(), "log", place.log()) == []


@pytest.mark.parametrize("place", ["here"], indirect=True)
def test_who_may_reveal_numbers_finds_no_callback_address_in_practice(
    place: Place, sandbox: Sandbox
) -> None:
    make_message(make_account("haorui", sandbox, credentials=SECRETS["haorui"]))
    wait_until(all_ended)
    reader = make_user("providers.view_account", "messaging.reveal_message")
    reader.set_password(STAFF_PASSWORD)
    reader.save()
    person = Person(place, reader.username).sign_in()
    page = person.open(PRACTICE).text
    person.leave()
    assert "your parcel is here" in page.lower()
    assert leaks(tokens(), "practice", page) == []


class TestTheSearch:
    """A search that finds nothing must be able to find something."""

    SECRET = SECRETS["haorui"]["api_password"]

    @pytest.fixture(autouse=True)
    def _database(self, transactional_db: None) -> None:
        """Committed, so that the file has it too."""

    def _plant_in_a_column(self) -> None:
        User.objects.create_user("planted", first_name=self.SECRET)

    def _plant_in_the_queue(self) -> None:
        async_task("math.sqrt", self.SECRET)

    def _plant_in_a_task(self) -> None:
        when = "2026-01-01T00:00:00Z"
        Task.objects.create(
            id="1", name="x", func="math.sqrt", args=(self.SECRET,), started=when, stopped=when
        )

    def _plant_in_a_session(self) -> None:
        session = SessionStore()
        session["typed"] = self.SECRET
        session.create()

    def _plant_in_the_cache(self) -> None:
        cache.set("planted", self.SECRET)

    def test_nothing_is_found_where_nothing_was_planted(self) -> None:
        squeeze()
        assert found_at_rest() == []

    @pytest.mark.parametrize(
        ("plant", "place"),
        [
            (_plant_in_a_column, "auth_user.first_name"),
            (_plant_in_a_column, "dump"),
            (_plant_in_the_queue, "queue"),
            (_plant_in_a_task, "task"),
            (_plant_in_a_session, "session"),
            (_plant_in_the_cache, "cache"),
        ],
    )
    def test_what_was_planted_is_found(
        self, plant: Callable[[TestTheSearch], None], place: str
    ) -> None:
        plant(self)
        assert any(leak.startswith(place) for leak in found_at_rest())

    @pytest.mark.parametrize("spelling", sorted(spellings(SECRETS["otpservice"]["password"])))
    def test_every_spelling_is_found(self, spelling: str) -> None:
        assert leaks(passwords(), "page", f"before {spelling} after")

    def test_it_is_found_in_packed_bytes(self) -> None:
        packed = zlib.compress(pickle.dumps(self.SECRET))
        assert leaks([self.SECRET], "file", b"12345678" + packed)
        assert leaks([self.SECRET], "column", base64.b64encode(pickle.dumps(self.SECRET)))
