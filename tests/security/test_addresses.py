"""Who may open which address. `addresses.txt` holds the expected answers."""

from __future__ import annotations

import os
from http.cookies import SimpleCookie

import pytest
from django.db import transaction
from django.test import Client

from .addresses import (
    METHODS,
    ROLES,
    address_of,
    expected_answers,
    make_world,
    person,
    routes,
)

SIGN_IN = "in"


def line_of(method: str, route: str, answers: list[str]) -> str:
    """A line of the file."""
    columns = " ".join(f"{answer:>5}" for answer in answers)
    return f"{method:<4} {route:<62}  {columns}".rstrip()


def test_file_lists_every_address_and_no_other() -> None:
    known = {(method, route) for method in METHODS for route in routes()}
    listed = expected_answers()
    missing = [line_of(method, route, ["?"] * len(ROLES)) for method, route in known - set(listed)]
    assert sorted(missing) == [], "Add these addresses, with the answer for each role."
    assert sorted(set(listed) - known) == [], "These addresses do not exist any longer."
    assert [line for line, answers in listed.items() if len(answers) != len(ROLES)] == []


# Minutes on each database, which decides about none of the answers.
@pytest.mark.long if os.environ.get("TEST_DATABASE_URL") else pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize("method", METHODS)
def test_every_role_gets_the_expected_answers(method: str) -> None:
    expected = expected_answers().items()
    listed = {route: answers for (one, route), answers in expected if one == method}
    world = make_world()
    found: dict[str, list[str]] = {route: [] for route in listed}
    for role in ROLES:
        cookies = cookies_of(role)
        for route in listed:
            found[route].append(answer_to(method, address_of(route, world), cookies))
    changed = [
        f"\n  listed: {line_of(method, route, listed[route])}"
        f"\n  now:    {line_of(method, route, found[route])}"
        for route in listed
        if found[route] != listed[route]
    ]
    assert not changed, "".join(changed)


def cookies_of(role: str) -> str:
    client = Client()
    if role != "anonymous":
        client.force_login(person(role))
    return client.cookies.output(header="", sep=";")


def answer_to(method: str, address: str, cookies: str) -> str:
    """The status, or `in` for a redirect to the sign-in page. Undoes all changes."""
    client = Client(raise_request_exception=False)
    client.cookies = SimpleCookie(cookies)
    with transaction.atomic():
        answer = client.get(address) if method == "GET" else client.post(address)
        if answer.streaming:
            b"".join(answer)
        transaction.set_rollback(True)
    if answer.status_code == 302 and answer["Location"].startswith("/login/?next="):
        return SIGN_IN
    return str(answer.status_code)
