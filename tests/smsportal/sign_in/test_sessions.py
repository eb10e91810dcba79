"""Open sessions: which there are, how they end, and how long they may rest."""

from __future__ import annotations

import time
from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.conf import LazySettings, settings
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import Act, Notice
from core.stored_texts import show
from smsportal.sign_in.browser_words import browser_of as browser_words
from smsportal.sign_in.factors import has_factor
from smsportal.sign_in.sessions import prune_rows
from tests.support.second_factor import (
    code_now,
    enter_password,
    member_with_app,
    signed_in_with_app,
)
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db
CONFIRM = "/confirm/"
PAGE = {"Accept": "text/html"}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def is_in(client: Client) -> bool:
    return client.get("/", headers=PAGE).status_code == 200


def _fail(*_args: object, **_values: object) -> None:
    raise RuntimeError("the power failed")


class TestEnding:
    def test_page_lists_browsers_in_words_and_ends_one(self) -> None:
        user = member("viewer")
        ours, theirs = browser_of(user), Client(headers={"User-Agent": FIREFOX})
        enter_password(theirs, user)
        page = ours.get(reverse("my_sessions")).content.decode()
        assert "Firefox on Linux" in page
        assert "Gecko" not in page
        row = UserSession.objects.get(user_agent=FIREFOX)
        ours.post(reverse("my_sessions"), {"session": row.pk})
        assert not is_in(theirs)
        assert is_in(ours)
        assert Act.objects.filter(what="sessions.end", by=user).exists()

    def test_nobody_ends_a_session_of_another_person(self) -> None:
        other, ours = browser_of(member("operator")), browser_of(member("viewer"))
        row = UserSession.objects.get(user__username="operator")
        ours.post(reverse("my_sessions"), {"session": row.pk})
        assert is_in(other)

    def test_signing_out_everywhere_ends_sessions_without_a_row_too(self) -> None:
        user = member("viewer")
        ours, theirs, other = browser_of(user), browser_of(user), browser_of(member("operator"))
        UserSession.objects.all().delete()
        ours.post(reverse("my_sessions"), {"session": "others"})
        assert not is_in(theirs)
        assert is_in(ours)
        assert is_in(other)

    def test_session_keeps_its_row_when_the_password_changes(self) -> None:
        user = member("viewer")
        client, theirs = browser_of(user), browser_of(user)
        new = "correct horse battery"
        fields = {"old_password": "right", "new_password1": new, "new_password2": new}
        assert client.post(reverse("admin:password_change"), fields).status_code == 302
        [row] = UserSession.objects.filter(user=user)
        assert row.session_key == client.session.session_key
        assert not is_in(theirs)
        assert "Your password was changed." in show(Notice.objects.get(user=user).text)

    def test_password_changes_only_with_its_record(self, monkeypatch: pytest.MonkeyPatch) -> None:
        user = member("viewer")
        client, new = browser_of(user), "correct horse battery"
        monkeypatch.setattr("smsportal.sign_in.events.password_was_changed", _fail)
        fields = {"old_password": "right", "new_password1": new, "new_password2": new}
        with pytest.raises(RuntimeError):
            client.post(reverse("admin:password_change"), fields)
        user.refresh_from_db()
        assert user.check_password("right")
        assert not Act.objects.filter(what="staff.password").exists()

    def test_sessions_end_only_with_their_record(self, monkeypatch: pytest.MonkeyPatch) -> None:
        user = member("viewer")
        ours, theirs = browser_of(user), browser_of(user)
        monkeypatch.setattr("smsportal.sign_in.security_page.record_act", _fail)
        with pytest.raises(RuntimeError):
            ours.post(reverse("my_sessions"), {"session": "others"})
        assert is_in(theirs)

    def test_rows_of_ended_sessions_are_pruned(self) -> None:
        client = browser_of(member("viewer"))
        browser_of(member("operator"))
        Session.objects.exclude(session_key=client.session.session_key).delete()
        assert prune_rows() == 1
        assert UserSession.objects.get().session_key == client.session.session_key


class TestConfirmationFirst:
    @pytest.fixture(autouse=True)
    def rule(self, settings: LazySettings) -> None:
        settings.CONFIRM_MINUTES = 15

    @pytest.mark.parametrize("chosen", ["one", "others"])
    def test_sessions_end_only_for_who_has_just_confirmed(self, chosen: str) -> None:
        user = member("viewer")
        ours, theirs = browser_of(user), browser_of(user)
        row = UserSession.objects.get(session_key=theirs.session.session_key)
        fields = {"session": row.pk if chosen == "one" else "others"}
        page = reverse("my_sessions")
        assert ours.post(page, fields).status_code == 403
        assert is_in(theirs)
        ours.post(CONFIRM, {"password": "right", "next": page})
        assert ours.post(page, fields).status_code == 302
        assert not is_in(theirs)
        assert is_in(ours)

    def test_page_shows_sessions_at_once_and_its_buttons_after_confirmation(self) -> None:
        user = member("viewer")
        ours, page = browser_of(user), reverse("my_sessions")
        browser_of(user)
        before = ours.get(page).content.decode()
        assert before.count("Last used") == 2
        assert 'name="session"' not in before
        assert f'href="/confirm/?{urlencode({"next": page})}"' in before
        ours.post(CONFIRM, {"password": "right", "next": page})
        assert ours.get(page).content.decode().count('name="session"') == 2


class TestNewKey:
    """After a confirmation, a key that somebody has copied before opens nothing."""

    def test_confirmation_replaces_the_key_and_the_old_one_is_nobody(self) -> None:
        user = member("viewer")
        client, thief = browser_of(user), Client()
        thief.cookies = SimpleCookie(client.cookies.output(header="", sep=";"))
        assert is_in(thief)
        client.post(CONFIRM, {"password": "right", "next": "/"})
        assert is_in(client)
        assert not is_in(thief)

    def test_session_keeps_its_row_and_what_it_holds(self) -> None:
        user = member("viewer")
        client, key = browser_of(user), "rentals.board.scope"
        session = client.session
        session[key] = "mine"
        session.save()
        [before] = UserSession.objects.all()
        client.post(CONFIRM, {"password": "right", "next": "/"})
        [after] = UserSession.objects.all()
        assert (after.pk, after.created_at) == (before.pk, before.created_at)
        assert before.session_key != after.session_key == client.session.session_key
        assert Session.objects.count() == 1
        assert client.session[key] == "mine"
        assert client.get(reverse("my_sessions")).content.decode().count("this browser") == 1

    def test_wrong_password_keeps_the_key(self) -> None:
        client = browser_of(member("viewer"))
        key = client.session.session_key
        client.post(CONFIRM, {"password": "wrong", "next": "/"})
        assert client.session.session_key == key

    def test_form_that_another_tab_has_open_is_taken(self) -> None:
        user = member("viewer")
        client = Client(enforce_csrf_checks=True)
        client.force_login(user)
        page = client.get(reverse("admin:my_settings"))
        token = str(page.context["csrf_token"])
        client.post(CONFIRM, {"password": "right", "csrfmiddlewaretoken": token})
        fields = {"language": "en", "first_name": "Mei", "csrfmiddlewaretoken": token}
        assert client.post(reverse("admin:my_settings"), fields).status_code == 302

    def test_code_and_new_factor_replace_it_too(self) -> None:
        client = signed_in_with_app(member_with_app("viewer"))
        first = client.session.session_key
        client.post(reverse("mfa_reauthenticate"), {"code": code_now(), "next": "/"})
        assert client.session.session_key != first
        other = browser_of(member("operator"))
        first = other.session.session_key
        secret = other.get(reverse("mfa_activate_totp")).context["form"].secret
        other.post(reverse("mfa_activate_totp"), {"code": code_now(secret)})
        assert has_factor(User.objects.get(username="operator"))
        assert other.session.session_key != first

    def test_poll_with_the_old_key_does_not_take_the_new_one_from_the_browser(self) -> None:
        client = browser_of(member("viewer"))
        Session.objects.all().delete()
        assert not client.get(reverse("admin:banner"), headers={"Accept": "*/*"}).cookies
        assert settings.SESSION_COOKIE_NAME in client.get("/", headers=PAGE).cookies


class TestIdleLimit:
    def test_session_ends_after_half_an_hour_and_the_page_says_so(self) -> None:
        client = browser_of(member("viewer"))
        with time_machine.travel(time.time() + 31 * 60):
            answer = client.post(reverse("admin:notices"), headers=PAGE)
            address = answer.headers["Location"]
            assert address.startswith("/login/?next=")
            page = client.get(address).content.decode()
            assert "signed out after 30 minutes without activity" in page
            assert not is_in(client)

    def test_use_prolongs_it_and_polls_do_not(self) -> None:
        used, polled = browser_of(member("viewer")), browser_of(member("operator"))
        began = time.time()
        for minutes in (20, 40):
            with time_machine.travel(began + minutes * 60):
                assert is_in(used)
                polled.get(reverse("admin:banner"), headers={"Accept": "*/*"})
        with time_machine.travel(began + 41 * 60):
            assert polled.get(reverse("admin:banner")).status_code == 401

    def test_use_does_not_prolong_the_longest_time(self, settings: LazySettings) -> None:
        client, began = browser_of(member("viewer")), time.time()
        for minutes in range(20, settings.SESSION_COOKIE_AGE // 60, 20):
            with time_machine.travel(began + minutes * 60):
                client.get(reverse("mfa_index"), headers=PAGE)
        with time_machine.travel(began + settings.SESSION_COOKIE_AGE + 60):
            assert not is_in(client)

    def test_last_use_is_written_every_three_minutes_at_most(self) -> None:
        client, began = browser_of(member("viewer")), time.time()
        assert is_in(client)

        def writes(after: float, accept: str = "text/html") -> int:
            with time_machine.travel(began + after), CaptureQueriesContext(connection) as found:
                client.get(reverse("mfa_index"), headers={"Accept": accept})
            return sum("UPDATE" in query["sql"] for query in found)

        assert writes(170) == 0
        assert writes(185) > 0
        assert writes(190) == 0
        assert writes(400, "*/*") == 0

    def test_session_of_the_version_before_stays_and_gets_a_row(self) -> None:
        client = browser_of(member("viewer"))
        session = client.session
        for key in ("seen_at", "_session_expiry"):
            session.pop(key, None)
        session.save()
        UserSession.objects.all().delete()
        assert is_in(client)
        assert UserSession.objects.get().session_key == client.session.session_key
        assert client.session["seen_at"]

    def test_limit_can_be_off(self, settings: LazySettings) -> None:
        settings.IDLE_MINUTES = 0
        client = browser_of(member("viewer"))
        with time_machine.travel(time.time() + 5 * 3600):
            assert is_in(client)


class TestNewBrowser:
    def test_owner_is_told_of_a_browser_that_signs_in_for_the_first_time(
        self, settings: LazySettings
    ) -> None:
        settings.AXES_ENABLED = True
        user = member("viewer")
        first = Client()
        enter_password(first, user)
        assert not Notice.objects.exists()
        enter_password(first, user)
        assert not Notice.objects.exists()
        enter_password(Client(headers={"User-Agent": FIREFOX}), user)
        assert "Firefox on Linux" in show(Notice.objects.get(user=user).text)


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1", "Safari on iPhone"),
        ("Firefox", "Firefox on an unknown system"),
        ("<script>", "Unknown browser"),
    ],
)
def test_browser_is_named_in_words(agent: str, words: str) -> None:
    assert str(browser_words(agent)) == words
