"""No list tells hidden values by what it finds, filters, sorts, completes, logs or exports."""

from __future__ import annotations

from typing import Any, Final

import pytest
from django.contrib import admin
from django.core.cache import cache
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from messaging import do_not_send
from messaging.models import Message
from rentals.models import Order
from tests.factories.accounts import make_account
from tests.factories.codes import make_sent_session
from tests.factories.messages import make_message
from tests.factories.orders import change, make_rented
from tests.factories.staff import make_staff, make_user
from tests.support.signed_in import browser_of

pytestmark = pytest.mark.django_db

MASKED_ROLES: Final = ("viewer", "operator", "auditor")
NUMBER: Final = "+8613912345678"
LISTS: Final = ("messaging_message", "otp_session", "rentals_order", "messaging_donotsend")
HIDDEN: Final = ("139 1234 5678", "13912345678", "12345678", "1234 5678")


@pytest.fixture
def rows() -> None:
    account = make_account()
    make_message(account, recipient=NUMBER, text="The key is under the mat.")
    make_sent_session(recipient=NUMBER)
    change(make_rented(), phone=NUMBER, region="CN", code="482913", content="Your code: 482913")
    do_not_send.add(NUMBER, "asked", make_user())


def listed(browser: Client, name: str, **query: str) -> int | None:
    """How many rows the list shows; None if it ignores the address and shows all rows."""
    answer: Any = browser.get(reverse(f"admin:{name}_changelist"), query)
    if answer.status_code == 302:
        return None
    return len(answer.context_data["cl"].result_list)


@pytest.mark.parametrize("role", MASKED_ROLES)
@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize(
    "term", ["1391234", "12345678", "5678", "1391234567", "under the mat", "482913", "under"]
)
@pytest.mark.usefixtures("rows")
def test_search_finds_no_part_of_a_hidden_value(role: str, name: str, term: str) -> None:
    assert listed(browser_of(make_staff(role)), name, q=term) == 0


FIELDS: Final = {
    "messaging_message": ("recipient", "text", "code", "words", "form_token"),
    "otp_session": ("recipient", "prefix", "text", "codes__digest", "codes__message__recipient"),
    "rentals_order": ("phone", "code", "content", "differing_texts"),
    "messaging_donotsend": ("number", "added_by__password"),
    "auth_user": ("password", "user_permissions__codename"),
    "providers_account": ("credentials__value", "callback_tokens__digest"),
}
LOOKUPS: Final = ("", "__startswith", "__contains", "__regex", "__gt", "__in")


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.usefixtures("rows")
def test_no_filter_asks_about_a_hidden_field(name: str) -> None:
    browser = browser_of(make_staff("manager"))
    answered = {
        f"{field}{lookup}": count
        for field in FIELDS[name]
        for lookup in LOOKUPS
        if (count := listed(browser, name, **{f"{field}{lookup}": "+8613912"})) is not None
    }
    assert answered == {}


@pytest.mark.parametrize("name", LISTS)
def test_no_column_of_hidden_values_sorts(name: str) -> None:
    hidden = {"recipient", "phone", "number", "code", "content", "text", "prefix"}
    model_admin = next(
        one
        for model, one in admin.site._registry.items()
        if f"{model._meta.app_label}_{model._meta.model_name}" == name
    )
    browser = browser_of(make_staff("manager"))
    answer: Any = browser.get(reverse(f"admin:{name}_changelist"))
    listing = answer.context_data["cl"]
    sortable = {listing.get_ordering_field(column) for column in listing.list_display}
    assert not {str(field).lstrip("-") for field in sortable if field} & hidden
    assert not set(model_admin.get_sortable_by(answer.wsgi_request)) & hidden


def completed(browser: Client, model: type[Model], field: str, term: str) -> Any:
    """What the theme's drop-downs would offer; None if it is refused."""
    names = {
        "app_label": model._meta.app_label,
        "model_name": str(model._meta.model_name),
        "field_name": field,
    }
    answer = browser.get(reverse("admin:autocomplete"), {**names, "term": term})
    return answer.json()["results"] if answer.status_code == 200 else None


@pytest.mark.parametrize("role", MASKED_ROLES)
@pytest.mark.usefixtures("rows")
def test_nothing_completes_a_hidden_value(role: str) -> None:
    browser = browser_of(make_staff(role))
    for model, field in ((Message, "sent_again_from"), (Order, "instead_of")):
        for term in ("1391234", "5678", "under the mat", "482913"):
            assert completed(browser, model, field, term) == []
        assert "1234" not in str(completed(browser, model, field, NUMBER))
    for model, field in ((Message, "created_by"), (Order, "held_by")):
        assert completed(browser, model, field, "staff") is None


@pytest.mark.parametrize("role", MASKED_ROLES)
@pytest.mark.parametrize("name", ["messaging_message", "otp_session", "rentals_order"])
@pytest.mark.usefixtures("rows")
def test_list_history_and_updates_show_no_hidden_value(role: str, name: str) -> None:
    browser = browser_of(make_staff(role))
    answer: Any = browser.get(reverse(f"admin:{name}_changelist"))
    one = answer.context_data["cl"].result_list[0]
    pages = [
        reverse(f"admin:{name}_changelist"),
        reverse(f"admin:{name}_change", args=[one.public_id]),
        reverse(f"admin:{name}_history", args=[one.public_id]),
        f"{reverse(f'admin:{name}_changes')}?ids={one.pk}",
    ]
    for page in pages:
        text = browser.get(page).content.decode()
        shown = [hidden for hidden in (*HIDDEN, "under the mat", "482913") if hidden in text]
        assert (page, shown) == (page, [])


@pytest.mark.parametrize("format_", ["csv", "xlsx"])
@pytest.mark.parametrize("name", ["messaging_message", "otp_session", "rentals_order"])
@pytest.mark.usefixtures("rows")
def test_export_of_an_auditor_is_masked(name: str, format_: str) -> None:
    browser = browser_of(make_staff("auditor"))
    answer = browser.get(reverse(f"admin:{name}_export"), {"format": format_})
    content = b"".join(answer)
    answer.close()
    if format_ == "xlsx":
        from io import BytesIO

        from openpyxl import load_workbook

        sheet: Any = load_workbook(BytesIO(content)).active
        content = str(list(sheet.values)).encode()
    shown = [one for one in (*HIDDEN, "under the mat", "482913") if one in content.decode()]
    assert shown == []
    assert "5678" in content.decode()


# --- the search for pages ---------------------------------------------------------------------


def found(browser: Client, term: str) -> str:
    return browser.post(reverse("admin:search"), {"s": term}).content.decode()


def test_search_for_pages_follows_permissions_at_once() -> None:
    user = make_user("providers.view_apicall")
    browser = browser_of(user)
    assert reverse("admin:providers_apicall_changelist") in found(browser, "call")
    user.user_permissions.clear()
    assert reverse("admin:providers_apicall_changelist") not in found(browser, "call")


def test_search_for_pages_keeps_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    browser = browser_of(make_staff("manager"))
    kept: list[str] = []
    monkeypatch.setattr(type(cache), "set", lambda self, key, *_, **__: kept.append(key), False)
    found(browser, "some word")
    assert [key for key in kept if "search" in key] == []
