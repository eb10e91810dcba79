"""Starts that continue automatically: restarts, kills, an upgrade, a weekend, a switchover."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar

import psycopg
import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from messaging.models import Message
from otp.models import Attempt
from providers.models import Account, Fence, Heartbeat, Hold
from rentals.models import Cancel, Order
from sandbox.server import Sandbox
from tests.database import Server, server_binaries
from tests.smsportal.restores.copies import ON_SERVER, new_database_name
from tests.smsportal.restores.scene import Scene, make_sandbox
from tests.smsportal.restores.site import LONG_ENOUGH, Site
from tests.support.hosts import Host
from tests.support.wait_until import wait_until
from tests.upgrade import databases

pytestmark = [pytest.mark.slow, pytest.mark.each_database, pytest.mark.any_database]
on_postgresql = pytest.mark.skipif(not ON_SERVER, reason="PostgreSQL only")

TEXTS: Final = 40
AT_MOST: Final = 300.0
"""Seconds for what takes a few when no other test runs."""
GOES_ON: Final = "so everything goes on"
WAITING_IN_DUMP: Final = {"order": 2, "cancel": 2, "check": 2}
"""The calls of the old version that had not begun."""
WEEKEND: Final = timedelta(days=3)

S = TypeVar("S", bound=Server)


@pytest.fixture(autouse=True)
def unblocked(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        yield


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with make_sandbox() as running:
        yield running


@pytest.fixture
def site(tmp_path: Path, sandbox: Sandbox) -> Iterator[Site]:
    with a_site(tmp_path, sandbox) as made:
        yield made


@contextmanager
def a_site(folder: Path, sandbox: Sandbox, *, create: bool = True) -> Iterator[Site]:
    database = new_database_name()
    with ExitStack() as stack:
        if database and create:
            databases.create(database)
            stack.callback(databases.drop, database)
        site = Site(folder, sandbox, database)
        stack.callback(site.host.kill)
        yield site


class Texts:
    """Texts that are sent slowly, so that some wait at each stop."""

    def __init__(self, site: Site) -> None:
        self.site = site
        scene = Scene(site)
        account = site.account("haorui", "steady", per_second=5)
        for number in range(TEXTS):
            scene.text(number, account)
        self.lost: set[str] = set()
        """Texts whose calls a kill cut off. They are not sent again."""

    def _not_called(self) -> Iterator[str]:
        called = self.site.calls()
        for message in Message.objects.all():
            if message.recipient.removeprefix("+") not in called:
                yield message.recipient

    def end_host_at(self, share: float, end: Callable[[Host], None] = Host.stop) -> None:
        """End the host once this share of the texts has been sent, while others wait."""
        wait_until(lambda: self.site.calls().total() >= share * TEXTS)
        end(self.site.host)
        assert Message.objects.filter(state="queued").exists()
        in_flight = Message.objects.filter(state="sending")
        self.lost.update(in_flight.values_list("recipient", flat=True))

    def check_all_were_sent_once(self) -> None:
        wait_until(lambda: not Message.objects.filter(state__in=("queued", "claimed")).exists())
        wait_until(lambda: set(self._not_called()) <= self.lost)
        assert set(self.site.calls().values()) == {1}
        assert not Hold.objects.exists()


def test_sending_continues_after_restarts_kills_and_a_weekend(site: Site) -> None:
    site.start()
    with site.connected():
        texts = Texts(site)
        texts.end_host_at(0.1)
        site.start()
        assert verdict() == "trusted"
        texts.end_host_at(0.3, Host.kill)
        site.start()
        assert verdict() == "trusted"
        assert GOES_ON not in site.host.log()
        texts.end_host_at(0.5)
        move_back(WEEKEND)
        site.start()
        assert verdict() == "notice"
        assert site.host.log().count(GOES_ON) == 1
        assert "The engine has not worked since" in site.host.log()
        texts.check_all_were_sent_once()


def verdict() -> str:
    return Fence.objects.get(pk=Fence.SINGLETON).verdict


def move_back(by: timedelta) -> None:
    """Let the last sign of life be this old."""
    Heartbeat.objects.update(beat_at=F("beat_at") - by)
    Fence.objects.update(checked_at=F("checked_at") - by)


def test_sending_continues_after_an_upgrade(site: Site, sandbox: Sandbox) -> None:
    """The database of a version without a fence, whose engine worked three minutes ago."""
    site.host.stop()
    load_first_release(site)
    with site.connected():
        prepare_old_rows(sandbox)
    site.start()
    with site.connected():
        # A row whose call begins no longer waits, but the provider has not yet noted the call.
        wait_until(lambda: not waits() and made(site) == WAITING_IN_DUMP, at_most=AT_MOST)
        time.sleep(LONG_ENOUGH)
        assert made(site) == WAITING_IN_DUMP
        assert sandbox.book.count("haorui", "send")
        assert sandbox.book.repeated() == []
        assert not Hold.objects.exists()
        assert verdict() == "trusted"
        assert "On hold: " not in site.host.log()
        assert GOES_ON not in site.host.log()


def made(site: Site) -> dict[str, int]:
    kinds = Counter(key.partition(" ")[0] for key in site.calls().elements())
    return {kind: kinds[kind] for kind in WAITING_IN_DUMP}


def waits() -> bool:
    return any(
        model._default_manager.filter(state__in=("queued", "claimed")).exists()
        for model in (Order, Cancel, Attempt)
    )


def load_first_release(site: Site) -> None:
    if ON_SERVER:
        databases.load("0.1.0", site.folder, site.database)
    else:
        loaded = databases.load("0.1.0", site.host.data, "loaded")
        Path(loaded).replace(site.database)


def prepare_old_rows(sandbox: Sandbox) -> None:
    """Let the dump be three minutes old, and its accounts be those of the sandbox."""
    recently = timezone.now() - timedelta(minutes=3)
    Heartbeat.objects.update(beat_at=recently)
    for model in (Message, Order, Cancel, Attempt):
        rows = model._default_manager
        rows.filter(claim__isnull=False).update(claimed_at=recently)
        called = rows.filter(claim__isnull=False, handed_over_at__isnull=False)
        called.update(handed_over_at=recently)
    Message.objects.update(queued_at=timezone.now())
    Order.objects.update(created_at=timezone.now())
    Order.objects.filter(state="unknown").update(answered_at=recently)
    # A check that has waited for a minute is not made any more, and a start may take that long.
    Attempt.objects.update(created_at=timezone.now() + timedelta(seconds=AT_MOST))
    for pk, provider in Account.objects.values_list("pk", "provider"):
        address = sandbox.base_url(provider)
        Account.objects.filter(pk=pk).update(base_url=address, paused_at=None)


# --- a planned switchover ----------------------------------------------------------------


class Standby(Server):
    """A server that follows another one until it is promoted."""

    def follow(self, primary: Server) -> None:
        self.binaries = self._accessible(self.binaries)
        address = ["-h", str(primary.folder), "-U", "postgres"]
        copy = ["pg_basebackup", *address, "-D", str(self.data), "-R", "--checkpoint=fast"]
        assert self._spawn(copy).wait() == 0, self.log.read_text()
        self.run()

    def promote(self) -> None:
        with psycopg.connect(
            self.url.replace("postgres:", "postgresql:", 1), autocommit=True
        ) as session:
            assert session.execute("SELECT pg_promote()").fetchone() == (True,)


@pytest.fixture
def primary() -> Iterator[Server]:
    with a_server(Server) as server:
        assert server.start()
        yield server


@pytest.fixture
def standby(primary: Server) -> Iterator[Standby]:
    with a_server(Standby) as server:
        server.follow(primary)
        yield server


@contextmanager
def a_server(kind: type[S]) -> Iterator[S]:
    # The path of a socket has a short limit.
    with tempfile.TemporaryDirectory(prefix="smsportal-pg-", dir="/tmp") as folder:
        server = kind(server_binaries()[0], Path(folder))
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def on_server(server: Server, site: Site) -> Iterator[None]:
    """Let the site and this process use that server."""
    options = connection.settings_dict["OPTIONS"]
    original = options["host"]
    connection.close()
    options["host"] = str(server.folder)
    site.host.environment["DATABASE_URL"] = server.url.replace("/postgres?", f"/{site.database}?")
    try:
        yield
    finally:
        connection.close()
        options["host"] = original


@on_postgresql
def test_planned_switchover_continues_with_one_notice(
    tmp_path: Path, sandbox: Sandbox, primary: Server, standby: Standby
) -> None:
    with a_site(tmp_path, sandbox, create=False) as site:
        with on_server(primary, site):
            databases.create(site.database)
            site.start()
            with site.connected():
                texts = Texts(site)
                texts.end_host_at(0.3)
                counter = Fence.objects.get().counter
        # A server that stops in order first sends the rest of its log.
        primary.stop()
        standby.promote()
        with on_server(standby, site), site.connected():
            assert Fence.objects.get().counter == counter
            site.start()
            assert verdict() == "notice"
            assert site.host.log().count(GOES_ON) == 1
            assert "Another database server has taken over" in site.host.log()
            texts.check_all_were_sent_once()
            site.host.stop()
