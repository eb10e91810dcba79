"""The handbook in the portal: for all staff, in their language, with search and pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from smsportal.handbook import shelf
from smsportal.handbook.explained import EXPLAINED, page_that_explains
from tests.factories.staff import make_staff, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
CHINESE = {"accept-language": "zh-hans"}


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(make_user())
    return client


def text_of(client: Client, url: str, **options: object) -> str:
    answer = client.get(url, **options)  # type: ignore[arg-type]
    assert answer.status_code == 200
    return answer.content.decode()


def test_both_languages_have_every_page() -> None:
    wanted = {f"{part}/{name}" for part, names in shelf.ORDER.items() for name in names}
    for language in shelf.LANGUAGES:
        assert set(shelf.leaves(language)) == wanted


@pytest.mark.parametrize("language", shelf.LANGUAGES)
def test_every_page_is_made_with_its_pictures(language: str) -> None:
    for leaf in shelf.leaves(language).values():
        made = shelf.html_of(leaf.name, language)
        assert "made:" not in made
        assert made.count("<img") == leaf.source.count("![")


@pytest.mark.parametrize("name", ["staff/states", "managers/accounts", "operators/settings"])
def test_page_opens(staff: Client, name: str) -> None:
    page = text_of(staff, f"/handbook/{name}/")
    assert shelf.leaves("en")[name].title in page
    assert shelf.html_of(name, "en") in page


def test_reader_gets_their_own_language(staff: Client) -> None:
    assert "Send an SMS" in text_of(staff, "/handbook/staff/send/")
    assert "发送短信" in text_of(staff, "/handbook/staff/send/", headers=CHINESE)


def test_list_leads_to_each_page(staff: Client) -> None:
    page = text_of(staff, "/handbook/")
    for leaf in shelf.leaves("en").values():
        assert f'href="{leaf.url}"' in page


@pytest.mark.parametrize(
    ("words", "headers", "found"),
    [
        ("rotate_keys", {}, "/handbook/operators/keys/#replace-secrets_keys"),
        ("PUMPING", {}, "/handbook/managers/caps/"),
        ("回调 撤销", CHINESE, "/handbook/managers/accounts/#回调地址"),
    ],
)
def test_search_finds_the_section(
    staff: Client, words: str, headers: dict[str, str], found: str
) -> None:
    assert f'href="{found}"' in text_of(staff, f"/handbook/?q={words}", headers=headers)


def test_search_shows_what_was_typed_as_text(staff: Client) -> None:
    page = text_of(staff, "/handbook/?q=<script>alert(1)</script>")
    assert "<script>alert(1)" not in page
    assert "0 places found" in page


@pytest.mark.parametrize(
    "url",
    [
        "/handbook/staff/nothing/",
        "/handbook/developers/architecture/",
        "/handbook/pictures/en/nothing/",
        "/handbook/pictures/../dashboard/",
    ],
)
def test_what_is_no_page_is_not_found(staff: Client, url: str) -> None:
    assert staff.get(url).status_code == 404


def test_picture_is_sent_to_staff_only(client: Client) -> None:
    url = "/handbook/pictures/en/dashboard/"
    assert client.get(url).status_code == 302
    client.force_login(make_user())
    answer = client.get(url)
    assert answer["Content-Type"] == "image/png"
    assert answer.content.startswith(b"\x89PNG")


def test_page_of_the_portal_leads_to_the_page_that_explains_it(client: Client) -> None:
    client.force_login(make_staff("manager"))
    assert 'href="/handbook/staff/send/"' in text_of(client, "/messaging/message/send/")
    assert 'href="/handbook/managers/caps/"' in text_of(client, "/providers/dailylimit/")
    assert 'href="/handbook/"' in text_of(client, "/")


@pytest.mark.parametrize(
    ("url_name", "page"),
    [
        ("messaging_message_send", "staff/send"),
        ("messaging_message_change", "staff/states"),
        ("messaging_message_changelist", "staff/find"),
        ("alerts_rule", "managers/alerts"),
        ("factor_rules", "managers/people"),
        ("providers_approval_changelist", "staff/approvals"),
        ("index", None),
    ],
)
def test_longest_name_decides(url_name: str, page: str | None) -> None:
    assert page_that_explains(url_name) == page


def test_pages_that_explain_exist() -> None:
    assert set(EXPLAINED.values()) <= set(shelf.leaves("en"))


def test_only_listed_files_are_read() -> None:
    assert all(Path(path).is_relative_to(shelf.DOCS) for path in shelf.pictures().values())


def test_long_search_is_refused_in_words_and_not_cut(client: Client) -> None:
    client.force_login(make_staff("operator"))
    page = client.get("/handbook/", {"q": "x" * 101}).content.decode()
    assert "This may have at most 100 characters; it has 101. Shorten it." in page
    assert "x" * 101 in page
