"""A manager creates an account with each provider and checks its connection."""

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


def form_values(provider: str, sandbox: Sandbox) -> dict[str, str]:
    secrets = {f"secret_{name}": value for name, value in CREDENTIALS[provider].items()}
    own = {"name": f"{NAMES[provider]} main", "base_url": sandbox.base_url(provider)}
    return {**own, **secrets, **OPTIONS[provider]}


@pytest.mark.parametrize("provider", NAMES)
def test_manager_creates_an_account_after_two_mistakes(
    provider: str, manager: Visitor, sandbox: Sandbox
) -> None:
    values = form_values(provider, sandbox)
    first_secret = next(name for name in values if name.startswith("secret_"))
    form = AccountForm.new(manager, provider).fill(**values)
    form.field(first_secret).fill("")
    form.save()

    sends = provider != "gosms"
    if sends:
        expect(form.problems).to_contain_text("Nothing can be sent until a country is allowed.")
    assert form.has_focus(form.problems)
    assert form.page.title().startswith("Error:")
    form.problems.locator(f'a[href="#id_{first_secret}"]').click()
    assert form.has_focus(form.field(first_secret))
    assert form.field("name").input_value() == values["name"]
    for name in (name for name in values if name.startswith("secret_")):
        assert form.field(name).input_value() == ""

    if sends:
        form.allow("(CN")
    form.fill(**{name: value for name, value in values.items() if name.startswith("secret_")})
    form.save()
    expect(form.notes.filter(has_text="Saved.")).to_be_visible()
    account = Account.objects.get()
    assert (account.provider, account.allowed_countries) == (provider, ["CN"] if sends else [])
    stored = {each.name: each.value.reveal() for each in account.credentials.all()}
    assert stored == CREDENTIALS[provider]


BEST_MATCHES = {
    "en": {
        "ger": "Germany",
        "guinea": "Guinea ",
        "de": "Germany",
        "49": "Germany",
        "+49": "Germany",
        "cote": "Côte d",
    },
    "zh-hans": {"几": "几内亚（", "de": "德国"},
}


@pytest.mark.any_database
@pytest.mark.parametrize("language", BEST_MATCHES)
def test_best_matching_country_comes_first(language: str, make_visitor: MakeVisitor) -> None:
    form = AccountForm.new(make_visitor("manager", language=language), "haosms")
    for typed, country in BEST_MATCHES[language].items():
        expect(form.first_country(typed)).to_contain_text(re.compile(f"^{country}"))


@pytest.mark.parametrize("provider", ["haosms", "gosms"])
def test_check_confirms_the_connection_and_shows_the_balance(
    provider: str, manager: Visitor, sandbox: Sandbox, engine: Engine
) -> None:
    account = make_account(provider, sandbox)
    engine.start()
    page = AccountForm.of(manager, account)
    page.mark_document()
    page.check()
    expect(page.check_result).to_contain_text("Connection works. Available")
    expect(page.figures).to_contain_text("As stated by the provider")
    expect(page.state).to_have_text("Active")
    page.read_balance()
    expect(page.figures.locator("details")).to_be_visible()
    assert page.is_marked_document()
    assert account.readings.count() == 2
