"""The search over all pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.html import strip_tags

from core.phones.searches import MOST_ALIKE
from core.phones.tokens import token_of
from lookup.admin.search_page import read_term
from tests.factories.accounts import make_account
from tests.factories.codes import make_session
from tests.factories.messages import make_message
from tests.factories.orders import make_rented
from tests.factories.staff import make_staff, make_user

pytestmark = pytest.mark.django_db
NUMBER = "+8613912345678"


def search(person: User, typed: str) -> str:
    client = Client()
    client.force_login(person)
    answer = client.post("/search/", {"s": typed})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    return answer.content.decode()


@pytest.mark.parametrize(
    "typed",
    [
        "13912345678",
        "139 1234 5678",
        "+86 139-1234-5678",
        "0086 13912345678",
        "(+86) 139 1234 5678",
        "１３９１２３４５６７８",
    ],
)
def test_number_is_found_in_any_writing(typed: str) -> None:
    make_message(recipient=NUMBER)
    make_session(recipient=NUMBER)

    found = search(make_staff("operator"), typed)

    assert f"/number/{token_of(NUMBER)}/" in found
    assert "Send SMS to this number" in found
    assert "/messaging/message/" in found
    assert "/otp/session/" in found


def test_signed_out_reader_is_told_so_within_the_palette() -> None:
    answer = Client().post("/search/", {"s": "13912345678"})
    assert answer.status_code == 401
    assert "You are signed out." in answer.content.decode()


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("my settings", "/my-settings/"),
        ("my exports", "/my-exports/"),
        ("security", "/my-security/"),
        ("password", "/password_change/"),
    ],
)
@pytest.mark.parametrize("role", ["operator", "manager"])
def test_pages_of_the_own_menu_are_found_once(role: str, typed: str, url: str) -> None:
    assert search(make_staff(role), typed).count(f'href="{url}"') == 1


def test_word_before_the_number_is_left_out() -> None:
    assert read_term("send 139 1234 5678").number == NUMBER
    assert read_term("发送13912345678").number == NUMBER
    assert read_term("HAORUI main").number == ""


def test_ids_are_found_by_equality() -> None:
    message = make_message(provider_id="abc-77")
    session, order = make_session(), make_rented(provider_id="5512")
    person = make_staff("operator")

    assert message.public_id in search(person, message.public_id)
    assert message.public_id in search(person, message.reference.upper())
    assert message.public_id in search(person, "abc-77")
    assert session.public_id in search(person, session.public_id)
    assert order.public_id in search(person, "5512")
    assert "Nothing was found" in search(person, "abc-7")


def test_names_are_found_by_a_part() -> None:
    account = make_account(name="HAORUI north")
    colleague = make_staff("viewer")
    User.objects.filter(pk=colleague.pk).update(first_name="Xenia", username="xen")
    manager = make_staff("manager")

    assert account.public_id in search(manager, "north")
    assert f"/auth/user/{colleague.pk}/change/" in search(manager, "xeni")
    assert "/messaging/batch/" in search(manager, "batch")
    # One letter names too much.
    assert account.public_id not in search(manager, "n")


def test_rows_of_others_stay_masked() -> None:
    make_message(recipient=NUMBER, text="The parcel of room 1208.", provider_id="abc-77")
    found = search(make_staff("operator"), "abc-77")

    assert "1234" not in strip_tags(found)
    assert "1208" not in found


@pytest.mark.parametrize(
    ("permissions", "unseen"),
    [
        (("otp.view_session",), ("/messaging/message/", "/rentals/order/")),
        (("messaging.view_message",), ("/otp/session/", "/rentals/order/")),
        (("rentals.view_order",), ("/messaging/message/", "/otp/session/")),
        (("providers.view_account",), ("/messaging/", "/otp/", "/rentals/", "/number/")),
    ],
)
def test_each_kind_needs_its_own_permission(
    permissions: tuple[str, ...], unseen: tuple[str, ...]
) -> None:
    make_message(recipient=NUMBER)
    make_session(recipient=NUMBER)
    make_rented(phone=NUMBER)

    found = search(make_user(*permissions), NUMBER)

    assert not any(part in found for part in unseen)


def test_numbers_that_look_alike_are_refused_after_some_tries() -> None:
    person = make_staff("operator")
    for number in range(MOST_ALIKE):
        assert "/number/" in search(person, f"139{number:04}5678")

    refused = search(person, NUMBER)

    assert "/number/" not in refused
    assert "too many phone numbers" in refused
    # People who may reveal numbers are told.
    assert "/number/" in search(make_staff("manager"), NUMBER)


def test_signed_out_and_get_requests_find_nothing(client: Client) -> None:
    assert client.post("/search/", {"s": NUMBER}).status_code in (302, 401)
    client.force_login(make_staff("operator"))
    assert NUMBER not in client.get("/search/", {"s": NUMBER}).content.decode()


@pytest.mark.parametrize("typed", ["", " ", "\x00", "'", "%", "_", "x" * 5_000, "<script>", "🙂"])
def test_odd_texts_are_answered(typed: str) -> None:
    assert "<script>" not in search(make_staff("manager"), typed)


def test_queries_are_bounded(django_assert_max_num_queries: Any) -> None:
    make_message(recipient=NUMBER)
    person = make_staff("manager")

    with django_assert_max_num_queries(60):
        search(person, NUMBER)


def test_long_search_is_refused_in_words_and_not_cut() -> None:
    shown = search(make_staff("operator"), "x" * 201)
    assert "This may have at most 200 characters; it has 201. Shorten it." in shown


def test_sign_out_is_found_as_an_act_that_is_posted() -> None:
    shown = search(make_staff("viewer"), "sign out")
    form = shown.partition('<form method="post" action="/logout/">')[2].partition("</form>")[0]
    assert 'name="csrfmiddlewaretoken"' in form
    assert '<button type="submit">' in form
    assert "Sign out" in form


def test_theme_is_switched_from_the_search() -> None:
    shown = search(make_staff("viewer"), "dark")
    assert "adminTheme = 'dark'" in shown
    assert "Theme: Dark" in strip_tags(shown)
    assert search(make_staff("viewer"), "theme").count("adminTheme = ") == 3
