"""The account form as built from the declarations of each client, and its secrets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone, translation

from core.secrets import Secret
from providers import accounts
from providers.admin.account_forms import AccountForm
from providers.gateway.client import (
    Client,
    CredentialField,
    OptionField,
    OptionKind,
    ReportsBalance,
)
from providers.models import Account
from tests.factories.accounts import make_account

from .account_form_data import (
    CANARY,
    PROVIDERS,
    client_of,
    errors_of,
    form_for,
    form_for_stored,
    save_form,
    secret_data,
)

pytestmark = pytest.mark.django_db


# --- every provider ----------------------------------------------------------


@pytest.mark.parametrize("provider", PROVIDERS)
def test_form_has_exactly_the_fields_that_the_client_declares(provider: str) -> None:
    client = client_of(provider)
    form = AccountForm(client=client)
    special = {name for name in form.fields if name.startswith(("secret_", "option_"))}
    assert special == {f"secret_{f.name}" for f in client.credential_fields} | {
        f"option_{f.name}" for f in client.option_fields
    }
    assert ("low_balance" in form.fields) == issubclass(client, ReportsBalance)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_new_form_has_the_initial_values_of_the_client(provider: str) -> None:
    client = client_of(provider)
    form = AccountForm(client=client)
    assert form.initial["base_url"] == client.default_base_url
    assert form.initial["per_second"] == client.pace.per_second
    assert not form.initial.get("allowed_countries")


def test_account_that_only_rents_asks_for_no_countries_to_send_to() -> None:
    assert [
        provider
        for provider in PROVIDERS
        if "allowed_countries" not in AccountForm(client=client_of(provider)).fields
    ] == ["gosms"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_entered_secrets_reach_the_login(provider: str) -> None:
    account = save_form(form_for(provider))
    login = accounts.login_of(account)
    revealed = {f"secret_{name}": value.reveal() for name, value in login.credentials.items()}
    assert revealed == secret_data(provider)
    assert account.allowed_countries == ([] if provider == "gosms" else ["CN", "TH"])
    assert account.callback_tokens.count() == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_secret_is_required_for_a_new_account(provider: str) -> None:
    for name in secret_data(provider):
        assert errors_of(form_for(provider, **{name: "   "}), name)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_secret_labels_are_translated(provider: str) -> None:
    declared = client_of(provider)
    with translation.override("zh-hans"):
        form = AccountForm(client=declared)
        labels = [str(form.fields[f"secret_{f.name}"].label) for f in declared.credential_fields]
    assert all(labels)


def test_form_is_built_for_an_unknown_client() -> None:
    class Newcomer(Client):
        key = "newcomer"
        name = "Newcomer"
        job = "does something"
        credential_fields = (CredentialField("token", "Token", "On its page.", prefix="nc_"),)
        option_fields = (
            OptionField("region", OptionKind.TEXT, "Region", "As agreed.", required=True),
            OptionField("fast", OptionKind.FLAG, "Fast", "", default=True),
        )

    form = AccountForm(client=Newcomer)
    assert form.fields["option_region"].required
    assert form.fields["option_fast"].initial is True
    assert str(form.fields["secret_token"].help_text) == "On its page."


# --- secrets -----------------------------------------------------------------


@pytest.mark.parametrize("provider", PROVIDERS)
def test_empty_secret_keeps_the_stored_value_and_its_age(provider: str) -> None:
    account = save_form(form_for(provider))
    account.credentials.update(saved_at=timezone.now() - timedelta(days=100))
    before = dict(account.credentials.values_list("name", "saved_at"))
    save_form(form_for_stored(account, name="renamed"))
    assert dict(account.credentials.values_list("name", "saved_at")) == before
    login = accounts.login_of(Account.objects.get(pk=account.pk))
    assert all(CANARY in value.reveal() for value in login.credentials.values())


def test_entered_secret_replaces_the_stored_one_and_its_age() -> None:
    account = save_form(form_for("gosms"))
    account.credentials.update(saved_at=timezone.now() - timedelta(days=400))
    save_form(form_for_stored(account, secret_api_key="ch_new"))
    credential = account.credentials.get()
    assert credential.value.reveal() == "ch_new"
    assert not credential.is_old


def test_secret_is_old_after_the_configured_time(settings: Any) -> None:
    settings.SECRET_MAX_AGE_DAYS = 30
    credential = make_account("gosms").credentials.get()
    assert not credential.is_old
    credential.saved_at -= timedelta(days=31)
    assert credential.is_old


@pytest.mark.parametrize("around", ["  {}\n", "\u00a0{}\u3000", "\ufeff{}\u200b", "\t{} \r\n"])
def test_white_space_around_a_secret_is_removed(around: str) -> None:
    account = save_form(form_for("gosms", secret_api_key=around.format("ch_key")))
    assert account.credentials.get().value.reveal() == "ch_key"


@pytest.mark.parametrize("value", ["ch_a\x00b", "ch_a\x07b", "ch_a\nb"])
def test_secret_with_control_characters_is_refused_and_not_repeated(value: str) -> None:
    error = errors_of(form_for("gosms", secret_api_key=value), "secret_api_key")
    assert error
    assert "ch_a" not in error


def test_odd_secret_is_saved_with_a_warning_that_does_not_repeat_it() -> None:
    form = form_for("gosms", secret_api_key=f"sk {CANARY}")
    save_form(form)
    assert "begins with ch_" in form.warnings[0]
    assert "contains a space" in form.warnings[1]
    assert CANARY not in "".join(form.warnings)


def test_failed_form_keeps_everything_but_the_secrets() -> None:
    form = form_for("haorui", name="", price_per_segment="0.04")
    error = errors_of(form, "secret_api_password")
    assert "again" in error
    html = form.as_p()
    assert CANARY not in html
    assert "0.04" in html


def test_option_of_an_older_client_is_kept() -> None:
    account = save_form(form_for("gosms"))
    Account.objects.filter(pk=account.pk).update(options={**account.options, "retired": "kept"})
    account = save_form(form_for_stored(Account.objects.get(pk=account.pk), option_retired=None))
    assert account.options["retired"] == "kept"


def test_no_representation_of_the_form_contains_a_secret() -> None:
    account = make_account("gosms", credentials={"api_key": f"ch_{CANARY}"})
    form = form_for_stored(account, secret_api_key=f"ch_{CANARY}2", name="")
    assert not form.is_valid()
    assert CANARY not in form.as_p() + repr(form) + str(form.errors) + form.errors.as_json()
    assert isinstance(account.credentials.get().value, Secret)


def test_stored_secret_must_be_entered_again_for_another_host() -> None:
    account = make_account("gosms", base_url="https://127.0.0.1:9/api")
    form = form_for_stored(account, base_url="https://127.0.0.2:9/api")
    assert "another host" in str(form.errors)


def test_stored_secret_is_kept_for_another_path_of_its_host() -> None:
    account = make_account("gosms", base_url="https://127.0.0.1:9/api")
    assert form_for_stored(account, base_url="https://127.0.0.1:9/api/v2").is_valid()


@pytest.mark.parametrize(
    ("provider", "entered"),
    [
        ("haorui", "https://127.0.0.1:9/api/SendSMS"),
        ("haorui", "https://127.0.0.1:9/API/sendsms/"),
        ("haorui", "https://127.0.0.1:9/api"),
        ("haosms", "https://127.0.0.1:9/extra_api/otp_msg/"),
        ("haosms", "https://127.0.0.1:9/user/s_balance"),
        ("otpservice", "https://127.0.0.1:9/send"),
        ("gosms", "https://127.0.0.1:9/user/balance"),
        ("gosms", "https://127.0.0.1:9"),
    ],
)
def test_address_is_accepted_as_the_document_writes_it(provider: str, entered: str) -> None:
    form = form_for(provider, base_url=entered)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["base_url"] == "https://127.0.0.1:9"
