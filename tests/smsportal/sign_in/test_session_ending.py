"""Ending the sessions of a colleague."""

from __future__ import annotations

import pytest
from allauth.usersessions.models import UserSession
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory
from django.urls import reverse

from audit.addresses import facts_of
from audit.presentation.sentences import Readings, plain_sentence
from core.models import Act, Notice
from core.stored_texts import show
from smsportal.sign_in.sessions import renew_key
from tests.support.second_factor import enter_code, enter_password, member_with_app
from tests.support.signed_in import browser_of, member

pytestmark = pytest.mark.django_db
PAGE = {"Accept": "text/html"}


def is_in(client: Client) -> bool:
    return client.get("/", headers=PAGE).status_code == 200


def ending(person: User) -> str:
    return reverse("admin:auth_user_end_sessions", args=[person.pk])


def form_of(person: User) -> str:
    return reverse("admin:auth_user_change", args=[person.pk])


class TestByAColleague:
    def test_all_sessions_end_and_the_person_is_told(self) -> None:
        operator, manager = member("operator"), member("manager")
        theirs, without_row, ours = browser_of(operator), browser_of(operator), browser_of(manager)
        UserSession.objects.filter(session_key=without_row.session.session_key).delete()
        assert ending(operator) in ours.get(form_of(operator)).content.decode()
        assert " has: 1 session<" in ours.get(ending(operator)).content.decode()
        answer = ours.post(ending(operator))
        assert answer.headers["Location"] == form_of(operator)
        assert not is_in(theirs)
        assert not is_in(without_row)
        assert is_in(ours)
        act = Act.objects.get(what="staff.sessions_ended")
        assert (act.by, act.subject, facts_of(act)) == (
            manager,
            f"user:{operator.pk}",
            {"count": 2},
        )
        text = plain_sentence(act, Readings.of([act]))
        assert text == "Ended all sessions of staff member “operator”"
        assert "manager ended all your sessions." in show(Notice.objects.get(user=operator).text)

    def test_next_request_leads_to_the_sign_in_and_back(self) -> None:
        operator = member("operator")
        theirs, page = browser_of(operator), reverse("admin:my_settings")
        browser_of(member("manager")).post(ending(operator))
        answer = theirs.post(page, {"first_name": "Mei"}, headers=PAGE)
        assert answer.headers["Location"] == f"/login/?next={page}"
        assert theirs.get(reverse("admin:banner")).status_code == 401

    def test_peers_superiors_and_oneself_are_out_of_reach(self) -> None:
        manager = member("manager")
        ours = browser_of(manager)
        for person in (manager, member("manager", name="peer"), member("x", superuser=True)):
            theirs = ours if person == manager else browser_of(person)
            assert ending(person) not in ours.get(form_of(person)).content.decode()
            assert ours.get(ending(person)).status_code == 403
            assert ours.post(ending(person)).status_code == 403
            assert is_in(theirs)

    @pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
    def test_nobody_else_ends_sessions_of_others(self, role: str) -> None:
        target = member(name="target")
        theirs = browser_of(target)
        assert browser_of(member(role)).post(ending(target)).status_code == 403
        assert is_in(theirs)

    def test_it_needs_a_confirmation_of_who_one_is(self, settings: LazySettings) -> None:
        settings.CONFIRM_MINUTES = 15
        operator, manager = member("operator"), member("manager")
        theirs, ours = browser_of(operator), browser_of(manager)
        assert ours.post(ending(operator)).status_code == 403
        assert ours.get(ending(operator)).headers["Location"].startswith("/confirm/")
        assert is_in(theirs)
        ours.post("/confirm/", {"password": "right", "next": "/"})
        assert ours.post(ending(operator)).status_code == 302
        assert not is_in(theirs)


def test_sessions_of_a_closed_account_do_not_come_back() -> None:
    operator = member("operator")
    theirs, ours = browser_of(operator), browser_of(member("manager"))
    fields = {"username": operator.username, "groups": [operator.groups.get().pk]}
    assert ours.post(form_of(operator), fields).status_code == 302
    assert not is_in(theirs)
    assert ours.post(form_of(operator), {**fields, "is_active": "on"}).status_code == 302
    operator.refresh_from_db()
    assert operator.is_active
    assert not is_in(theirs)


class TestByCommand:
    def test_sessions_of_one_person_end(self, capsys: pytest.CaptureFixture[str]) -> None:
        admin, other = member("x", superuser=True), member("viewer")
        theirs, others = browser_of(admin), browser_of(other)
        call_command("end_sessions", admin.username)
        assert "Sessions ended: 1." in capsys.readouterr().out
        assert not is_in(theirs)
        assert is_in(others)
        assert "the portal ended all your sessions" in show(Notice.objects.get(user=admin).text)

    def test_sessions_of_everybody_end(self) -> None:
        clients = [browser_of(member("viewer")), browser_of(member("x", superuser=True))]
        call_command("end_sessions", "--everybody")
        assert not any(is_in(one) for one in clients)

    @pytest.mark.parametrize("words", [[], ["nobody-here"], ["x", "--everybody"]])
    def test_it_needs_one_person_who_exists_or_everybody(self, words: list[str]) -> None:
        with pytest.raises(CommandError):
            call_command("end_sessions", *words)


class TestBegunSignIn:
    """A password alone has been entered, and the code is still to come."""

    def test_it_ends_with_the_sessions(self) -> None:
        operator = member_with_app("operator")
        thief = Client()
        enter_password(thief, operator)
        browser_of(member("manager")).post(ending(operator))
        enter_code(thief)
        assert not is_in(thief)

    def test_it_ends_when_the_account_is_closed(self) -> None:
        operator = member_with_app("operator")
        client = Client()
        enter_password(client, operator)
        User.objects.filter(pk=operator.pk).update(is_active=False)
        assert enter_code(client) == reverse("account_login")
        assert not Act.objects.filter(what="sign_in").exists()

    def test_it_ends_when_the_password_changes(self) -> None:
        operator = member_with_app("operator")
        thief, new = Client(), "correct horse battery"
        enter_password(thief, operator)
        fields = {"old_password": "right", "new_password1": new, "new_password2": new}
        browser_of(operator).post(reverse("admin:password_change"), fields)
        enter_code(thief)
        assert not is_in(thief)


def test_ended_session_gets_no_new_key() -> None:
    """A confirmation that began before the end comes after it."""
    client = browser_of(member("viewer"))
    request = RequestFactory().post("/")
    request.session = client.session
    Session.objects.all().delete()
    with pytest.raises(SessionInterrupted):
        renew_key(request)
    assert not Session.objects.exists()
