"""Which account a form uses, and how the list shows unusable ones."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from providers.admin.account_picker import AccountChoice, pick_account
from providers.models import Account

FACTORY = RequestFactory()


def reason_of(account: Account) -> str:
    return "paused" if account.name.startswith("paused") else ""


def account(name: str) -> Account:
    return Account(name=name, public_id=f"id-{name.replace(' ', '-')}", provider="haosms")


FIRST, SECOND, PAUSED = account("first"), account("second"), account("paused one")


def pick(accounts: list[Account], remembered: object = None, **query: str) -> Account | None:
    return pick_account(FACTORY.get("/", query), accounts, remembered, reason_of)


def test_account_in_the_url_is_picked_even_if_paused() -> None:
    assert pick([FIRST, PAUSED], FIRST.public_id, account=PAUSED.public_id) is PAUSED


def test_posted_account_takes_precedence_over_the_url() -> None:
    request = FACTORY.post(f"/?account={FIRST.public_id}", {"account": SECOND.public_id})
    assert pick_account(request, [FIRST, SECOND], None, reason_of) is SECOND


def test_remembered_account_is_picked_by_default() -> None:
    assert pick([FIRST, SECOND], SECOND.public_id) is SECOND


def test_unknown_account_falls_back_to_the_first_usable_one() -> None:
    assert pick([PAUSED, SECOND], "gone", account="unknown") is SECOND


def test_first_account_is_picked_if_none_is_usable() -> None:
    assert pick([PAUSED]) is PAUSED
    assert pick([]) is None


def options_of(field: AccountChoice) -> list[dict[str, Any]]:
    return [option for _, group, _ in field.widget.optgroups("account", []) for option in group]


def test_unusable_account_is_listed_disabled_with_the_reason() -> None:
    usable, paused = options_of(AccountChoice([FIRST, PAUSED], reason_of))
    assert usable["label"] == "first"
    assert "disabled" not in usable["attrs"]
    assert paused["label"] == "paused one – paused"
    assert paused["attrs"]["disabled"] is True


@pytest.mark.parametrize("empty_label", ["", "Do not switch automatically"])
def test_no_account_can_be_chosen_only_with_an_empty_label(empty_label: str) -> None:
    field = AccountChoice([FIRST], reason_of, empty_label=empty_label)
    assert field.required is not bool(empty_label)
    assert [option["label"] for option in options_of(field)] == (
        [empty_label] if empty_label else []
    ) + ["first"]
