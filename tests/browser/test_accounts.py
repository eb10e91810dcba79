"""A manager makes an account with each provider, and asks whether it works."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from providers.models import Account
from sandbox.server import Sandbox
from tests.factories.accounts import CREDENTIALS, make_account

from .conftest import Engine, MakeVisitor
from .pages import AccountForm
from .visitor import Visitor

NAMES = {
    "haosms": "HaoSMS",
    "haorui": "HAORUI",
    "otpservice": "OTP Service",
    "gosms": "GoSMS",
}
OPTIONS = {
    "haosms": {"option_channels": "验证码通道1"},
    "haorui": {"option_sender_ids": "HAORUI"},
    "otpservice": {},
    "gosms": {},
}


def typed(provider: str, sandbox: Sandbox) -> dict[str, str]:
    secrets = {f"secret_{name}": value for name, value in CREDENTIALS[provider].items()}
    own = {"name": f"{NAMES[provider]} main", "base_url": sandbox.base_url(provider)}
    return {**own, **secrets, **OPTIONS[provider]}


@pytest.mark.parametrize("provider", NAMES)
def test_a_manager_makes_an_account_after_two_mistakes(
    provider: str, manager: Visitor, sandbox: Sandbox
) -> None:
    values = typed(provider, sandbox)
    first_secret = next(name for name in values if name.startswith("secret_"))
    form = AccountForm.new(manager, provider).fill(**values)
    form.field(first_secret).fill("")
    form.save()

    expect(form.problems).to_contain_text("Nothing can be sent until a country is allowed.")
    assert form.has_focus(form.problems)
    assert form.page.title().startswith("Error:")
    form.problems.locator(f'a[href="#id_{first_secret}"]').click()
    assert form.has_focus(form.field(first_secret))
    assert form.field("name").input_value() == values["name"]
    for name in (name for name in values if name.startswith("secret_")):
        assert form.field(name).input_value() == ""

    form.allow("(CN")
    form.fill(**{name: value for name, value in values.items() if name.startswith("secret_")})
    form.save()
    expect(form.notes.filter(has_text="Saved.")).to_be_visible()
    account = Account.objects.get()
    assert (account.provider, account.allowed_countries) == (provider, ["CN"])
    stored = {each.name: each.value.reveal() for each in account.credentials.all()}
    assert stored == CREDENTIALS[provider]


MEANT = {
    "en": {
        "ger": "Germany",
        "guinea": "Guinea ",
        "de": "Germany",
        "49": "Germany",
        "+49": "Germany",
        "cote": "Côte d",
    },
    "zh-hans": {"几": "几内亚 ", "de": "德国"},
}


@pytest.mark.any_database
@pytest.mark.parametrize("language", MEANT)
def test_the_first_country_found_is_the_one_that_is_meant(
    language: str, make_visitor: MakeVisitor
) -> None:
    form = AccountForm.new(make_visitor("manager", language=language), "haosms")
    for typed, meant in MEANT[language].items():
        expect(form.first_country(typed)).to_contain_text(re.compile(f"^{meant}"))


@pytest.mark.parametrize("provider", ["haosms", "gosms"])
def test_the_check_says_that_the_connection_works_and_shows_the_balance(
    provider: str, manager: Visitor, sandbox: Sandbox, engine: Engine
) -> None:
    account = make_account(provider, sandbox)
    engine.start()
    page = AccountForm.of(manager, account)
    page.stays_the_same_document()
    page.check()
    expect(page.check_news).to_contain_text("Connection works. Available")
    expect(page.figures).to_contain_text("As stated by the provider")
    expect(page.state).to_have_text("Active")
    page.read_balance()
    expect(page.figures.locator("details")).to_be_visible()
    assert page.is_still_the_same_document()
    assert account.readings.count() == 2
