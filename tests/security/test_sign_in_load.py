"""Sign-in under attack: its cost is bounded, and strangers lock nobody else out."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from axes.models import AccessAttempt
from django.conf import LazySettings
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.urls import reverse

from core.client_address import address_for_lockout
from smsportal import settings as portal_settings
from smsportal.sign_in import limits as sign_in_limits
from smsportal.sign_in import password_hashing
from smsportal.sign_in.limits import BrowserFailures, UnnamedProxyWarning, browser_failures
from smsportal.sign_in.password_hashing import AT_ONCE, BoundedArgon2, HashingBusy, HashingSlots
from tests.support.signed_in import member

HASHERS = portal_settings.PASSWORD_HASHERS
HERE, ELSEWHERE = "203.0.113.9", "203.0.113.10"


@pytest.fixture
def limits(settings: LazySettings) -> Iterator[LazySettings]:
    settings.AXES_ENABLED = True
    yield settings
    browser_failures.__init__()  # type: ignore[misc]


def attempt(client: Client, name: str, password: str = "wrong", sender: str = HERE) -> int:
    fields = {"username": name, "password": password}
    return client.post(reverse("admin:login"), fields, REMOTE_ADDR=sender).status_code


class TestCost:
    """What one attempt and many at once may cost."""

    def test_hash_costs_what_is_recommended_and_no_more(self) -> None:
        hasher = BoundedArgon2()
        decoded = hasher.decode(hasher.encode("right", "saltsaltsalt"))
        assert decoded["variety"] == "argon2id"
        assert 19 * 1024 <= decoded["memory_cost"] <= password_hashing.LIGHT_KIBIBYTES
        assert (decoded["time_cost"], decoded["parallelism"]) == (2, 1)

    def test_every_configured_hasher_is_bounded(self) -> None:
        assert {path.rpartition(".")[0] for path in HASHERS} == {
            "smsportal.sign_in.password_hashing"
        }

    def test_earlier_hash_is_valid_and_replaced_on_success(self, settings: LazySettings) -> None:
        settings.PASSWORD_HASHERS = HASHERS
        earlier = Argon2PasswordHasher().encode("right", "saltsaltsalt")
        replaced: list[str] = []
        assert check_password("right", earlier, lambda raw: replaced.append(make_password(raw)))
        assert BoundedArgon2().decode(replaced[0])["memory_cost"] == BoundedArgon2.memory_cost
        assert not check_password("wrong", earlier)

    @pytest.mark.parametrize("heavy", [False, True])
    def test_no_more_hashes_at_once_than_there_are_slots(
        self, monkeypatch: pytest.MonkeyPatch, heavy: bool
    ) -> None:
        running, most, lock = 0, 0, threading.Lock()
        encoded = (Argon2PasswordHasher if heavy else BoundedArgon2)().encode("right", "saltsalt")
        pause = threading.Event()

        def verify(self: object, password: str, encoded: str) -> bool:
            nonlocal running, most
            with lock:
                running += 1
                most = max(most, running)
            pause.wait(0.02)
            with lock:
                running -= 1
            return True

        monkeypatch.setattr(Argon2PasswordHasher, "verify", verify)
        monkeypatch.setattr(password_hashing, "slots", HashingSlots(waiting=100))
        with ThreadPoolExecutor(16) as threads:
            list(threads.map(lambda _: BoundedArgon2().verify("right", encoded), range(16)))
        assert most == (1 if heavy else AT_ONCE)

    def test_who_finds_the_queue_full_is_sent_away_at_once(self) -> None:
        slots = HashingSlots(waiting=0)
        with slots.taken(AT_ONCE), pytest.raises(HashingBusy), slots.taken():
            pass
        with slots.taken(AT_ONCE):
            pass

    def test_who_waits_too_long_is_sent_away(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(password_hashing, "MAX_WAIT", 0.01)
        slots = HashingSlots(waiting=1)
        with slots.taken(), pytest.raises(HashingBusy), slots.taken(AT_ONCE):
            pass

    @pytest.mark.django_db
    def test_busy_is_a_page_without_database_and_no_failure(
        self, client: Client, limits: LazySettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limits.PASSWORD_HASHERS = HASHERS
        slots = HashingSlots(waiting=0)
        monkeypatch.setattr(password_hashing, "slots", slots)
        with slots.taken(AT_ONCE):
            response = client.post(reverse("admin:login"), {"username": "x", "password": "x"})
        assert response.status_code == 503
        assert response["Retry-After"]
        assert b"Try again in a few seconds." in response.content
        assert not AccessAttempt.objects.exists()


@pytest.mark.django_db
class TestSpraying:
    """One password for many names."""

    def test_invented_names_from_one_address_meet_a_limit_before_a_hash(
        self, client: Client, limits: LazySettings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        limits.LOGIN_FAILURES_PER_ADDRESS = 12
        codes = [attempt(client, f"invented-{number}") for number in range(14)]
        assert codes == [*[200] * 11, *[429] * 3]
        hashed: list[object] = []
        monkeypatch.setattr(User, "set_password", lambda *_: hashed.append(_))
        assert attempt(client, "one-more") == 429
        assert hashed == []

    def test_other_addresses_go_on(self, client: Client, limits: LazySettings) -> None:
        limits.LOGIN_FAILURES_PER_ADDRESS = 3
        member("viewer")
        for number in range(4):
            attempt(client, f"invented-{number}")
        assert attempt(client, "viewer", "right") == 429
        assert attempt(client, "viewer", "right", ELSEWHERE) == 302

    def test_tries_while_locked_write_nothing(self, client: Client, limits: LazySettings) -> None:
        limits.LOGIN_FAILURES_PER_ADDRESS = 3
        for number in range(10):
            attempt(client, f"invented-{number}")
        assert AccessAttempt.objects.count() == 3

    def test_tries_while_locked_do_not_prolong_the_lock(
        self, client: Client, limits: LazySettings
    ) -> None:
        for _ in range(limits.AXES_FAILURE_LIMIT):
            attempt(client, "viewer")
        before = AccessAttempt.objects.get().attempt_time
        assert attempt(client, "viewer") == 429
        assert AccessAttempt.objects.get().attempt_time == before

    def test_an_ipv6_customer_is_one_address(self) -> None:
        def counted(sender: str) -> str:
            return address_for_lockout(RequestFactory().get("/", REMOTE_ADDR=sender))

        assert counted("2001:db8:1:2::5") == counted("2001:db8:1:2:ffff::1") == "2001:db8:1:2::"
        assert counted("2001:db8:1:3::5") != counted("2001:db8:1:2::5")
        assert counted("::ffff:203.0.113.9") == "203.0.113.9"


@pytest.mark.django_db
class TestNobodyIsLockedOutByStrangers:
    """All behind one address, as in an office or behind a proxy that nobody named."""

    def sign_in(self, name: str) -> Client:
        browser = Client()
        assert attempt(browser, name, "right") == 302
        browser.post(reverse("admin:logout"))
        return browser

    @pytest.mark.parametrize("names", [["manager"], [f"invented-{n}" for n in range(9)]])
    def test_a_browser_that_signed_in_before_goes_on(
        self, client: Client, limits: LazySettings, names: list[str]
    ) -> None:
        limits.LOGIN_FAILURES_PER_ADDRESS = 9
        member("manager")
        browser = self.sign_in("manager")
        for name in names * limits.AXES_FAILURE_LIMIT:
            attempt(client, name)
        assert attempt(Client(), "manager", "right") == 429
        assert attempt(browser, "manager") == 200
        assert attempt(browser, "manager", "right") == 302

    def test_a_known_browser_has_a_limit_of_its_own(
        self, client: Client, limits: LazySettings
    ) -> None:
        member("manager")
        browser = self.sign_in("manager")
        codes = [attempt(browser, "manager") for _ in range(limits.AXES_FAILURE_LIMIT)]
        assert codes[-1] == 429
        assert attempt(browser, "manager", "right") == 429

    def test_a_known_browser_is_a_stranger_to_other_names(
        self, client: Client, limits: LazySettings
    ) -> None:
        member("manager")
        member("viewer")
        browser = self.sign_in("viewer")
        for _ in range(limits.AXES_FAILURE_LIMIT):
            attempt(client, "manager")
        assert attempt(browser, "manager", "right") == 429
        assert attempt(browser, "viewer", "right") == 302

    @pytest.mark.parametrize("cookie", ["", "x", "a:b:c"])
    def test_a_forged_cookie_is_a_stranger(
        self, client: Client, limits: LazySettings, cookie: str
    ) -> None:
        member("manager")
        forger = Client()
        forger.cookies[f"{limits.SESSION_COOKIE_NAME}_browser"] = cookie
        for _ in range(limits.AXES_FAILURE_LIMIT):
            attempt(client, "manager")
        assert attempt(forger, "manager", "right") == 429

    def test_the_cookie_names_nobody_and_is_kept_from_scripts(self, limits: LazySettings) -> None:
        member("manager")
        cookie = self.sign_in("manager").cookies[f"{limits.SESSION_COOKIE_NAME}_browser"]
        assert "manager" not in cookie.value
        assert cookie["httponly"]
        assert cookie["samesite"] == "Lax"

    def test_an_unnamed_proxy_is_warned_of_once(
        self,
        client: Client,
        limits: LazySettings,
        caplog: pytest.LogCaptureFixture,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(sign_in_limits, "_unnamed_proxy", UnnamedProxyWarning())
        fields = {"username": "viewer", "password": "wrong"}
        forwarded = {"X-Forwarded-For": HERE}
        with caplog.at_level(logging.WARNING, sign_in_limits.__name__):
            for _ in range(2):
                client.post(reverse("admin:login"), fields, headers=forwarded)
        assert caplog.text.count("TRUSTED_PROXIES") == 1
        caplog.clear()
        limits.TRUSTED_PROXIES = ["127.0.0.1"]
        client.post(reverse("admin:login"), fields, headers=forwarded)
        assert "TRUSTED_PROXIES" not in caplog.text


def test_counts_of_browsers_are_bounded_and_end(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = BrowserFailures()
    monkeypatch.setattr(BrowserFailures, "MAX_BROWSERS", 3)
    for number in range(10):
        counts.add(str(number), 60)
    assert len(counts._counts) <= 3
    counts.add("ended", 0)
    assert counts.count("ended") == 0
