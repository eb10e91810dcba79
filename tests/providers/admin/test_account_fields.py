"""Validation of the account form: lines, countries, addresses, limits, concurrent changes."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from providers import accounts
from providers.admin.country_field import country_choices
from tests.factories.accounts import make_account

from .account_form_data import errors_of, form_for, form_for_stored, save_form

pytestmark = pytest.mark.django_db


# --- lines -------------------------------------------------------------------


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
def test_lines_keep_inner_characters_and_drop_empty_lines(end: str) -> None:
    lines = end.join(["  验证码通道1 ", "", "a\u2028b  c", "   ", "中国OTP\u00a0通道1"])
    account = save_form(form_for("haosms", option_channels=lines))
    assert account.options["channels"] == ["验证码通道1", "a\u2028b  c", "中国OTP\u00a0通道1"]


def test_repeated_line_is_refused() -> None:
    assert "“A”" in errors_of(
        form_for("haorui", option_sender_ids="A\nB\n A "), "option_sender_ids"
    )


def test_line_with_control_characters_is_refused_by_its_number() -> None:
    error = errors_of(form_for("haorui", option_sender_ids="A\n\nB\x07"), "option_sender_ids")
    assert "Line 2" in error


def test_required_list_must_not_be_empty() -> None:
    assert errors_of(form_for("haorui", option_sender_ids=" \n "), "option_sender_ids")


def test_country_without_a_channel_causes_a_warning() -> None:
    form = form_for("haosms", allowed_countries=["CN", "ID"])
    save_form(form)
    assert "Indonesia" in form.warnings[0]


# --- countries ---------------------------------------------------------------


def test_empty_list_of_countries_is_refused() -> None:
    error = errors_of(form_for("haorui", allowed_countries=[]), "allowed_countries")
    assert error == "Nothing can be sent until a country is allowed."


def test_countries_are_stored_sorted_and_unique() -> None:
    account = save_form(form_for("haorui", allowed_countries=["TH", "CN", "TH", "AE"]))
    assert account.allowed_countries == ["AE", "CN", "TH"]


@pytest.mark.parametrize("code", ["XX", "cn", "", "CN,TH", "001", "<b>"])
def test_invalid_country_is_refused(code: str) -> None:
    assert errors_of(form_for("haorui", allowed_countries=[code]), "allowed_countries")


def test_countries_are_translated_and_show_code_and_prefix() -> None:
    assert ("ID", "Indonesia (ID, +62)") in country_choices()
    with translation.override("zh-hans"):
        assert ("ID", "印度尼西亚（ID、+62）") in country_choices()


# --- address, name, limits ---------------------------------------------------


@pytest.fixture
def strict(settings: Any) -> None:
    settings.ALLOW_HTTP_PROVIDERS = settings.ALLOW_PRIVATE_PROVIDERS = False


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize(
    ("url", "error"),
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
def test_forbidden_address_is_refused_with_an_explanation(url: str, error: str) -> None:
    assert error in errors_of(form_for("haorui", base_url=url), "base_url")


@pytest.mark.usefixtures("strict")
def test_trailing_slash_of_an_address_is_removed() -> None:
    assert save_form(form_for("haorui", base_url=" https://93.184.216.34/sms/ ")).base_url == (
        "https://93.184.216.34/sms"
    )


def test_unchanged_address_is_not_resolved_again(monkeypatch: pytest.MonkeyPatch) -> None:
    account = save_form(form_for("haorui"))

    def fail(*_: object) -> None:
        raise AssertionError("resolved the host")

    monkeypatch.setattr("providers.admin.address_field.check_base_url", fail)
    save_form(form_for_stored(account, name="another name"))


def test_name_is_unique_regardless_of_case_and_white_space() -> None:
    make_account(name="HAORUI Main")
    assert errors_of(form_for("haorui", name=" haorui main "), "name")


@pytest.mark.parametrize("name", ["x" * 65, "  ", "\u200b", "\x00"])
def test_unreadable_name_is_refused(name: str) -> None:
    assert not form_for("haorui", name=name).is_valid()


@pytest.mark.parametrize("typed", ["a\x00b", "a\x1bb", "a\u202e b", "a  b"])
def test_what_a_name_hides_is_dropped(typed: str) -> None:
    assert save_form(form_for("haorui", name=typed)).name == "a b"


@pytest.mark.parametrize("name", ["🎉" * 64, "مرحبا", "客服部 主账户", "<script>alert(1)</script>"])
def test_unusual_name_is_accepted(name: str) -> None:
    assert save_form(form_for("haorui", name=name)).name == name


@pytest.mark.parametrize("field", ["per_second", "per_minute", "in_flight"])
@pytest.mark.parametrize("value", ["0", "-1", "", "1.5", "NaN", "99999999999", "１０x"])
def test_invalid_limit_is_refused(field: str, value: str) -> None:
    assert errors_of(form_for("haorui", **{field: value}), field)


@pytest.mark.parametrize("value", ["NaN", "1e999", "Infinity", "-0.01", "0.00001", "abc"])
def test_invalid_price_is_refused(value: str) -> None:
    assert errors_of(form_for("haorui", price_per_segment=value), "price_per_segment")


def test_pausing_phrase_of_one_character_is_refused() -> None:
    assert errors_of(form_for("haorui", pausing_phrases="余额不足\ne"), "pausing_phrases")
    account = save_form(form_for("haorui", pausing_phrases=" 余额不足 \r\n\r\nno credit"))
    assert account.phrases == ["余额不足", "no credit"]


# --- concurrent changes -------------------------------------------------------------


def test_concurrent_change_is_refused_and_named() -> None:
    account = make_account("haorui")
    second = form_for_stored(account, name="mine", price_per_segment="0.05")
    save_form(form_for_stored(account, per_second="9"))
    assert second.is_valid()
    assert second.save() is None
    assert "Calls per second" in str(second.errors["__all__"])
    account.refresh_from_db()
    assert account.name != "mine"
    assert account.per_second == 9


def test_saving_again_after_a_conflict_overwrites() -> None:
    account = make_account("haorui")
    second = form_for_stored(account, name="mine")
    save_form(form_for_stored(account, per_second="9"))
    assert second.is_valid()
    second.save()
    digests = second.data["seen"]
    assert save_form(form_for_stored(account, name="mine", seen=digests)).name == "mine"


def test_concurrently_replaced_secret_is_a_conflict() -> None:
    account = make_account("gosms")
    second = form_for_stored(account, secret_api_key="ch_mine")
    accounts.save_credentials(account, {"api_key": "ch_theirs"})
    assert second.is_valid()
    assert second.save() is None
    assert "API key" in str(second.errors["__all__"])
    assert "secret_api_key" in second.errors
    assert account.credentials.get().value.reveal() == "ch_theirs"


@pytest.mark.parametrize("seen", ["", "garbage", "[]", "null", '"x"', None])
def test_form_without_valid_digests_overwrites_nothing(seen: str | None) -> None:
    account = make_account("haorui")
    form = form_for_stored(account, name="mine", seen=seen)
    assert form.is_valid()
    assert form.save() is None


def test_pause_during_editing_is_kept() -> None:
    account = make_account("haorui")
    form = form_for_stored(account, name="mine")
    assert form.is_valid()
    accounts.pause(account, "credentials", "words")
    assert form.save() is not None
    account.refresh_from_db()
    assert account.is_paused
    assert account.pause_words == "words"
