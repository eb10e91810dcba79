"""The markup of a list's rows."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.html import format_html
from django.utils.safestring import SafeString

from core.admin.list_rows import headers_of, rows_of
from messaging.models import Message
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.factories.orders import make_rented
from tests.factories.staff import make_user

pytestmark = pytest.mark.django_db

URL = "/messaging/message/"


@pytest.fixture
def browser(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("boss"))
    return client


def cells_of(browser: Client, url: str, query: dict[str, Any] | None = None) -> dict[str, str]:
    """The cells of the first row by their classes."""
    page = browser.get(url, query or {}).content.decode()
    row = page[page.index('<tr class="data-row">') :].partition("</tr>")[0]
    return dict(re.findall(r'<t[hd] class="([\w-]+)"[^>]*>(.*?)</t[hd]>', row, re.DOTALL))


def test_a_cell_has_the_name_of_its_column_and_nothing_else(browser: Client) -> None:
    message = make_message()
    cells = cells_of(browser, URL)
    assert list(cells) == [
        "action-checkbox",
        "field-state_",
        "field-recipient",
        "field-account_",
        "field-kind_",
        "field-segments",
        "field-sender",
        "field-time",
    ]
    assert cells["field-segments"] == str(message.segments)
    assert (
        f'value="{message.pk}" class="action-select" aria-label="Select record"'
        in (cells["action-checkbox"])
    )


def test_the_state_links_to_the_row_and_a_number_to_its_own_page(browser: Client) -> None:
    message = make_message()
    cells = cells_of(browser, URL)
    assert cells["field-state_"].startswith(f'<a href="{URL}{message.public_id}/change/">')
    assert cells["field-recipient"].startswith('<a tabindex="-1" class="a" href="/number/')
    assert cells["field-recipient"].count("<a ") == 1


def test_the_keyboard_stops_at_the_first_link_alone(browser: Client) -> None:
    make_message()
    cells = cells_of(browser, URL)
    assert "tabindex" not in cells["field-state_"]
    assert "data-help" in cells["field-state_"], "the pointer still finds the help"
    others = "".join(cell for name, cell in cells.items() if name != "field-state_")
    assert others.count("<a ") == others.count('<a tabindex="-1" ')


def test_links_do_not_repeat_what_was_searched(browser: Client) -> None:
    message = make_message()
    make_message(recipient=message.recipient)
    assert message.recipient[1:] not in str(cells_of(browser, URL, {"q": message.recipient}))


def test_the_form_of_a_row_returns_to_the_list_with_its_filters(browser: Client) -> None:
    make_user(username="worker")
    cells = cells_of(browser, "/auth/user/", {"q": "worker", "is_active__exact": "1"})
    assert "?_changelist_filters=" in cells["field-username"]


def test_values_are_escaped(browser: Client) -> None:
    make_message(make_account(name="<b>Tom & Co</b>"), text="<script>")
    cells = cells_of(browser, URL)
    assert "&lt;b&gt;Tom &amp; Co&lt;/b&gt;" in cells["field-account_"]
    assert "<script>" not in str(cells)


def test_a_long_text_ends_where_no_screen_shows_it(browser: Client) -> None:
    make_message(text="An offer " * 60, by=User.objects.get(username="boss"))
    assert len(re.sub("<[^>]*>", "", cells_of(browser, URL)["field-recipient"])) < 260


def test_columns_that_phones_name_have_labels(browser: Client) -> None:
    make_rented()
    page = browser.get("/rentals/order/").content.decode()
    assert "data-label" not in page[page.index("data-row") :].partition("</tr>")[0]
    page = browser.get("/rentals/transaction/").content.decode()


def test_an_empty_list_has_no_table(browser: Client) -> None:
    page = browser.get(URL).content.decode()
    assert 'id="result_list"' not in page
    assert "No SMS sent yet." in page


class Changelist:
    """A list of people with a column of each kind."""

    is_popup = False
    preserved_filters = ""
    sortable_by = ()
    list_display_links: Any = None

    def __init__(self, *columns: Any) -> None:
        self.list_display = columns
        self.model = User
        self.opts = self.lookup_opts = User._meta
        self.model_admin = self
        self.result_list = list(User.objects.all())

    labelled_columns = ("first_name",)
    has_public_id = False

    def url_name(self, name: str) -> str:
        return f"admin:auth_user_{name}"

    def get_ordering_field_columns(self) -> dict[int, str]:
        return {}

    def get_empty_value_display(self) -> str:
        return "–"

    def admin_method(self, user: User) -> SafeString:
        return format_html("<i>{}</i>", user.username)


def rows(*columns: Any) -> str:
    listed = Changelist(*columns)
    return "".join(rows_of(listed, headers_of(listed)))


def test_columns_are_fields_methods_and_functions() -> None:
    User.objects.create(username="ann", first_name="<Ann>", last_login=None)

    def shout(user: User) -> str:
        return user.username.upper()

    found = rows("first_name", "last_login", "admin_method", "get_username", "is_active", shout)
    assert '<td class="field-first_name" data-label="first name">&lt;Ann&gt;</td>' in found
    assert '<td class="field-last_login">–</td>' in found
    assert '<td class="field-admin_method"><i>ann</i></td>' in found
    assert '<td class="field-get_username">ann</td>' in found
    assert '<td class="field-shout">ANN</td>' in found
    assert "check_circle" in found or "check" in found


def test_a_list_of_fifty_asks_no_more_than_one_of_two(
    browser: Client, django_assert_max_num_queries: Any
) -> None:
    account = make_account()
    for _ in range(2):
        make_message(account)
    with django_assert_max_num_queries(100) as few:
        browser.get(URL)
    for _ in range(20):
        make_message(account)
    with django_assert_max_num_queries(len(few)):
        browser.get(URL)
    assert Message.objects.count() == 22
