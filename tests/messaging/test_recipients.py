"""Recipients as staff type them, for each provider, and the reasons for invalid ones."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils.translation import override

from messaging.recipients import InvalidRecipient, recipient_for
from providers.models import Account

PROVIDERS = ["haosms", "haorui", "otpservice"]


pytestmark = pytest.mark.django_db


def account(provider: str, *countries: str) -> Account:
    return Account(
        name="Main", provider=provider, allowed_countries=list(countries or ("CN",)), options={}
    )


NOTATIONS = [
    "13912345678",
    "139 1234 5678",
    "139-1234-5678",
    "+86 139-1234-5678",
    "+8613912345678",
    "008613912345678",
    "8613912345678",
    "１３９１２３４５６７８",
    "\u00a013912345678\u200b",
    "(139) 1234.5678",
    "'13912345678",
]


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("typed", NOTATIONS)
def test_every_notation_gives_the_same_number(provider: str, typed: str) -> None:
    assert recipient_for(account(provider), typed).e164 == "+8613912345678"


INVALID = [
    ("", "Enter a phone number.", "手机号"),
    ("call me", "“call me” has a letter at position 1. Enter digits only.", "字母"),
    ("1391234567", "“1391234567” has 10 digits; a mobile number in China has 11.", "10"),
    ("139123456789", "“139123456789” has 12 digits; a mobile number in China has 11.", "12"),
    (
        "12012345678",
        ("“12012345678” does not start like a mobile number in mainland China. Check the number."),
        "12012345678",
    ),
    ("1391234567٨", "“1391234567٨” mixes digits of two scripts. Enter the number with", "0"),
    ("1 (305) 555-1234", "“1 (305) 555-1234” is grouped like a number in North America.", "+1"),
    (
        "+13912345678",
        (
            "“+13912345678” is read as a number in North America (+1), where this area code does"
            " not exist. If the number is in China, start it with +86."
        ),
        "+86",
    ),
    (
        "6281234567890",
        "“6281234567890” is not a number in China, but may be one in Indonesia. S",
        "印度尼西亚",
    ),
    ("139-1234-5678.0", "“139-1234-5678.0” may be a decimal number", "小数"),
    ("tel:13912345678;ext=5", "“tel:13912345678;ext=5” has an extension", "分机"),
    ("1391234567.0", "“1391234567.0” has 10 digits; a mobile number in China has 11.", "10"),
    ("13912345678;rm", "“13912345678;rm” has an unexpected character at position 12", ""),
    (
        "13912345678,13900000000",
        "“13912345678,13900000000” contains two numbers. Enter only one.",
        "",
    ),
    ("1.39123E+10", "A spreadsheet shortened this number (1.39123E+10)", "1.39123E+10"),
    ("10086", "“10086” is a service number and cannot receive SMS.", "10086"),
    ("+999 12345678", "“+999 12345678” does not match any country's numbers.", "+"),
    ("+14155550100", "Main is not allowed to send to United States.", "美国"),
    ("1" * 200, "This is too long for a phone number.", ""),
]


def reason_for(provider: str, typed: str) -> str:
    with pytest.raises(InvalidRecipient) as raised:
        recipient_for(account(provider), typed)
    return str(raised.value)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("typed", "english", "_chinese"), INVALID)
def test_invalid_number_is_refused_with_a_reason(
    provider: str, typed: str, english: str, _chinese: str
) -> None:
    with override("en"):
        assert reason_for(provider, typed).startswith(english)


@pytest.mark.parametrize(("typed", "_english", "chinese"), INVALID)
def test_reason_is_translated_to_chinese(typed: str, _english: str, chinese: str) -> None:
    with override("zh-hans"):
        reason = reason_for("haorui", typed)
    assert chinese in reason
    assert any("\u4e00" <= character <= "\u9fff" for character in reason)


def test_at_home_in_north_america_no_other_country_is_named(settings: Any) -> None:
    settings.HOME_COUNTRY = "US"
    with pytest.raises(InvalidRecipient, match="no area code of North America") as why:
        recipient_for(account("haorui", "US"), "391 234 5678")
    assert "+86" not in str(why.value)


def test_allowed_country_is_accepted() -> None:
    assert recipient_for(account("haorui", "US"), "+14155550100").country == "US"


def test_unsupported_number_names_the_supported_ones() -> None:
    with override("en"), pytest.raises(InvalidRecipient) as raised:
        recipient_for(account("haosms", "US"), "+14155550100")
    assert str(raised.value) == (
        "HaoSMS accepts mainland China numbers only, without +86. Choose another account."
    )


def test_channel_of_a_country_allows_its_numbers() -> None:
    open_account = account("haosms", "TH")
    open_account.options = {"other_channels": ["TH Channel 9"]}
    assert recipient_for(open_account, "+66812345678").country == "TH"
