"""The account form: made from what each client declares, strict about what is typed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone, translation

from core.secrets import Secret
from providers import accounts
from providers.form_fields import country_choices
from providers.forms import AccountForm
from providers.gateway.client import (
    Client,
    CredentialField,
    OptionField,
    OptionKind,
    ReportsBalance,
)
from providers.models import Account
from tests.builders import make_account

from .account_forms import CANARY, PROVIDERS, client_of, secrets_typed, typed, typed_again

pytestmark = pytest.mark.django_db


def form_for(provider: str, **changes: Any) -> AccountForm:
    return AccountForm(typed(provider, **changes), client=client_of(provider))


def saved(form: AccountForm) -> Account:
    assert form.is_valid(), form.errors
    account = form.save()
    assert account is not None, form.errors
    return Account.objects.get(pk=account.pk)


def form_again(account: Account, **changes: Any) -> AccountForm:
    stored = Account.objects.get(pk=account.pk)
    data = typed_again(stored, **changes)
    return AccountForm(data, instance=stored, client=client_of(account.provider))


def problem(form: AccountForm, field: str) -> str:
    assert not form.is_valid()
    return " ".join(str(error) for error in form.errors.get(field, []))


# --- every provider ----------------------------------------------------------


@pytest.mark.parametrize("provider", PROVIDERS)
def test_it_asks_for_what_the_client_declares_and_for_nothing_of_another(provider: str) -> None:
    client = client_of(provider)
    form = AccountForm(client=client)
    special = {name for name in form.fields if name.startswith(("secret_", "option_"))}
    assert special == {f"secret_{f.name}" for f in client.credential_fields} | {
        f"option_{f.name}" for f in client.option_fields
    }
    assert ("low_balance" in form.fields) == issubclass(client, ReportsBalance)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_new_form_starts_with_the_clients_own_values(provider: str) -> None:
    client = client_of(provider)
    form = AccountForm(client=client)
    assert form.initial["base_url"] == client.default_base_url
    assert form.initial["per_second"] == client.pace.per_second
    assert not form.initial.get("allowed_countries")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_what_was_typed_opens_the_client(provider: str) -> None:
    account = saved(form_for(provider))
    login = accounts.login_of(account)
    revealed = {f"secret_{name}": value.reveal() for name, value in login.credentials.items()}
    assert revealed == secrets_typed(provider)
    assert account.allowed_countries == ["CN", "TH"]
    assert account.callback_tokens.count() == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_each_secret_has_to_be_entered_at_first(provider: str) -> None:
    for name in secrets_typed(provider):
        assert problem(form_for(provider, **{name: "   "}), name)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_word_stands_in_both_languages(provider: str) -> None:
    declared = client_of(provider)
    with translation.override("zh-hans"):
        form = AccountForm(client=declared)
        labels = [str(form.fields[f"secret_{f.name}"].label) for f in declared.credential_fields]
    assert all(labels)


def test_a_client_that_nobody_knew_gets_its_form() -> None:
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
def test_leaving_a_secret_empty_keeps_it_and_its_age(provider: str) -> None:
    account = saved(form_for(provider))
    account.credentials.update(saved_at=timezone.now() - timedelta(days=100))
    before = dict(account.credentials.values_list("name", "saved_at"))
    saved(form_again(account, name="renamed"))
    assert dict(account.credentials.values_list("name", "saved_at")) == before
    login = accounts.login_of(Account.objects.get(pk=account.pk))
    assert all(CANARY in value.reveal() for value in login.credentials.values())


def test_a_secret_that_is_entered_replaces_the_old_one_and_is_young() -> None:
    account = saved(form_for("gosms"))
    account.credentials.update(saved_at=timezone.now() - timedelta(days=400))
    saved(form_again(account, secret_api_key="ch_new"))
    credential = account.credentials.get()
    assert credential.value.reveal() == "ch_new"
    assert not credential.is_old


def test_a_secret_is_old_after_the_set_time(settings) -> None:
    settings.SECRET_MAX_AGE_DAYS = 30
    credential = make_account("gosms").credentials.get()
    assert not credential.is_old
    credential.saved_at -= timedelta(days=31)
    assert credential.is_old


@pytest.mark.parametrize("around", ["  {}\n", "\u00a0{}\u3000", "\ufeff{}\u200b", "\t{} \r\n"])
def test_what_copying_leaves_around_a_secret_is_taken_off(around: str) -> None:
    account = saved(form_for("gosms", secret_api_key=around.format("ch_key")))
    assert account.credentials.get().value.reveal() == "ch_key"


@pytest.mark.parametrize("value", ["ch_a\x00b", "ch_a\x07b", "ch_a\nb"])
def test_a_secret_with_control_characters_is_refused_without_being_repeated(value: str) -> None:
    said = problem(form_for("gosms", secret_api_key=value), "secret_api_key")
    assert said
    assert "ch_a" not in said


def test_an_odd_secret_is_saved_with_a_warning_that_does_not_repeat_it() -> None:
    form = form_for("gosms", secret_api_key=f"sk {CANARY}")
    saved(form)
    assert "begins with ch_" in form.warnings[0]
    assert "space inside" in form.warnings[1]
    assert CANARY not in "".join(form.warnings)


def test_after_a_failed_submit_all_is_kept_but_the_secrets_and_it_says_so() -> None:
    form = form_for("haorui", name="", price_per_segment="0.04")
    said = problem(form, "secret_api_password")
    assert "again" in said
    html = form.as_p()
    assert CANARY not in html
    assert "0.04" in html


def test_an_option_of_an_older_client_is_kept() -> None:
    account = saved(form_for("gosms"))
    Account.objects.filter(pk=account.pk).update(options={**account.options, "retired": "kept"})
    account = saved(form_again(Account.objects.get(pk=account.pk), option_retired=None))
    assert account.options["retired"] == "kept"


# --- lines -------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_lines_keep_what_stands_inside_and_lose_the_empty_ones(end: str) -> None:
    lines = end.join(["  验证码通道1 ", "", "a\u2028b  c", "   ", "中国OTP\u00a0通道1"])
    account = saved(form_for("haosms", option_channels=lines))
    assert account.options["channels"] == ["验证码通道1", "a\u2028b  c", "中国OTP\u00a0通道1"]


def test_a_line_that_stands_twice_is_refused() -> None:
    assert "“A”" in problem(form_for("haorui", option_sender_ids="A\nB\n A "), "option_sender_ids")


def test_a_line_with_control_characters_is_refused_by_its_number() -> None:
    said = problem(form_for("haorui", option_sender_ids="A\n\nB\x07"), "option_sender_ids")
    assert "Line 2" in said


def test_a_list_that_is_needed_must_hold_something() -> None:
    assert problem(form_for("haorui", option_sender_ids=" \n "), "option_sender_ids")


def test_a_country_without_a_channel_is_warned_of() -> None:
    form = form_for("haosms", allowed_countries=["CN", "ID"])
    saved(form)
    assert "Indonesia" in form.warnings[0]


# --- countries ---------------------------------------------------------------


def test_without_a_country_nothing_can_be_sent_and_it_says_so() -> None:
    said = problem(form_for("haorui", allowed_countries=[]), "allowed_countries")
    assert said == "Nothing can be sent until a country is allowed."


def test_countries_are_stored_sorted_and_once() -> None:
    account = saved(form_for("haorui", allowed_countries=["TH", "CN", "TH", "AE"]))
    assert account.allowed_countries == ["AE", "CN", "TH"]


@pytest.mark.parametrize("code", ["XX", "cn", "", "CN,TH", "001", "<b>"])
def test_what_is_no_country_is_refused(code: str) -> None:
    assert problem(form_for("haorui", allowed_countries=[code]), "allowed_countries")


def test_countries_are_named_in_the_readers_language_with_code_and_prefix() -> None:
    assert ("ID", "Indonesia (ID, +62)") in country_choices()
    with translation.override("zh-hans"):
        assert ("ID", "印度尼西亚 (ID, +62)") in country_choices()


# --- address, name, limits ---------------------------------------------------


@pytest.fixture
def strict(settings) -> None:
    settings.ALLOW_HTTP_PROVIDERS = settings.ALLOW_PRIVATE_PROVIDERS = False


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://93.184.216.34", "https"),
        ("https://127.0.0.1", "private"),
        ("https://169.254.169.254/latest", "private"),
        ("https://[::1]", "private"),
        ("https://[::ffff:10.0.0.1]", "private"),
        ("https://2130706433", "four numbers"),
        ("https://0x7f.1", "four numbers"),
        ("https://user:pass@93.184.216.34", "before the @"),
        ("https://93.184.216.34/?key=1", "question mark"),
        ("https://93.184.216.34/#x", "#"),
        ("https://93.184.216.34/a b", "spaces"),
        ("https://93.184.216.34:99999", "port"),
        ("ftp://93.184.216.34", "https://"),
        ("api.example.com", "https://"),
        ("https://", "https://"),
    ],
)
def test_addresses_that_are_not_called_are_refused_in_words(url: str, says: str) -> None:
    assert says in problem(form_for("haorui", base_url=url), "base_url")


@pytest.mark.usefixtures("strict")
def test_a_public_https_address_is_taken_without_its_last_slash() -> None:
    assert saved(form_for("haorui", base_url=" https://93.184.216.34/api/ ")).base_url == (
        "https://93.184.216.34/api"
    )


def test_an_address_that_stays_is_not_looked_up_again(monkeypatch) -> None:
    account = saved(form_for("haorui"))

    def fail(*_: object) -> None:
        raise AssertionError("asked the DNS")

    monkeypatch.setattr("providers.form_fields.check_base_url", fail)
    saved(form_again(account, name="another name"))


def test_two_accounts_cannot_have_one_name_in_any_spelling() -> None:
    make_account(name="HAORUI Main")
    assert problem(form_for("haorui", name=" haorui main "), "name")


@pytest.mark.parametrize("name", ["a\x00b", "a\x1bb", "x" * 65, "  ", "\u200b"])
def test_names_that_nobody_could_read_are_refused(name: str) -> None:
    assert not form_for("haorui", name=name).is_valid()


@pytest.mark.parametrize("name", ["🎉" * 64, "مرحبا", "客服部 主账户", "<script>alert(1)</script>"])
def test_unusual_names_are_fine(name: str) -> None:
    assert saved(form_for("haorui", name=name)).name == name


@pytest.mark.parametrize("field", ["per_second", "per_minute", "in_flight"])
@pytest.mark.parametrize("value", ["0", "-1", "", "1.5", "NaN", "99999999999", "１０x"])
def test_limits_are_whole_numbers_within_reason(field: str, value: str) -> None:
    assert problem(form_for("haorui", **{field: value}), field)


@pytest.mark.parametrize("value", ["NaN", "1e999", "Infinity", "-0.01", "0.00001", "abc"])
def test_a_price_is_a_price(value: str) -> None:
    assert problem(form_for("haorui", price_per_segment=value), "price_per_segment")


def test_a_phrase_of_one_character_is_refused() -> None:
    assert problem(form_for("haorui", pausing_phrases="余额不足\ne"), "pausing_phrases")
    account = saved(form_for("haorui", pausing_phrases=" 余额不足 \r\n\r\nno credit"))
    assert account.phrases == ["余额不足", "no credit"]


# --- two at once -------------------------------------------------------------


def test_the_second_of_two_is_told_what_the_first_one_changed() -> None:
    account = make_account("haorui")
    late = form_again(account, name="mine", price_per_segment="0.05")
    saved(form_again(account, per_second="9"))
    assert late.is_valid()
    assert late.save() is None
    assert "Calls a second" in str(late.errors["__all__"])
    account.refresh_from_db()
    assert account.name != "mine"
    assert account.per_second == 9


def test_saving_once_more_is_done_knowingly() -> None:
    account = make_account("haorui")
    late = form_again(account, name="mine")
    saved(form_again(account, per_second="9"))
    assert late.is_valid()
    late.save()
    marks = late.data["seen"]
    assert saved(form_again(account, name="mine", seen=marks)).name == "mine"


def test_a_secret_that_another_one_replaced_counts_as_a_change() -> None:
    account = make_account("gosms")
    late = form_again(account, secret_api_key="ch_mine")
    accounts.save_credentials(account, {"api_key": "ch_theirs"})
    assert late.is_valid()
    assert late.save() is None
    assert "API key" in str(late.errors["__all__"])
    assert "secret_api_key" in late.errors
    assert account.credentials.get().value.reveal() == "ch_theirs"


@pytest.mark.parametrize("seen", ["", "garbage", "[]", "null", '"x"', None])
def test_a_form_that_does_not_tell_what_it_saw_overwrites_nothing(seen: str | None) -> None:
    account = make_account("haorui")
    form = form_again(account, name="mine", seen=seen)
    assert form.is_valid()
    assert form.save() is None


def test_a_pause_that_comes_while_the_form_is_open_stays() -> None:
    account = make_account("haorui")
    form = form_again(account, name="mine")
    assert form.is_valid()
    accounts.pause(account, "credentials", "words")
    assert form.save() is not None
    account.refresh_from_db()
    assert account.is_paused
    assert account.pause_words == "words"


def test_a_form_shows_no_secret_in_any_of_its_faces() -> None:
    account = make_account("gosms", credentials={"api_key": f"ch_{CANARY}"})
    form = form_again(account, secret_api_key=f"ch_{CANARY}2", name="")
    assert not form.is_valid()
    assert CANARY not in form.as_p() + repr(form) + str(form.errors) + form.errors.as_json()
    assert isinstance(account.credentials.get().value, Secret)
