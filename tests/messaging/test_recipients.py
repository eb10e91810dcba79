"""Numbers as staff type them, for each provider, and what is said about the wrong ones."""

from __future__ import annotations

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


WRITINGS = [
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
@pytest.mark.parametrize("typed", WRITINGS)
def test_every_way_of_writing_is_the_same_number(provider: str, typed: str) -> None:
    assert recipient_for(account(provider), typed).e164 == "+8613912345678"


WRONG = [
    ("", "Enter a phone number.", "手机号"),
    ("call me", "“call me” has a letter at position 1. Enter digits only.", "字母"),
    ("1391234567", "“1391234567” has 10 digits; a mobile number in China has 11.", "10"),
    ("139123456789", "“139123456789” has 12 digits; a mobile number in China has 11.", "12"),
    (
        "12012345678",
        "No mobile number in China begins like “12012345678”. Check the number.",
        "12012345678",
    ),
    ("١٣٩١٢٣٤٥٦٧٨", "Enter the number with the digits 0 to 9.", "0"),
    ("13912345678;rm", "“13912345678;rm” has a sign at position 12", ""),
    ("13912345678,13900000000", "“13912345678,13900000000” holds two numbers. Enter one.", ""),
    ("1.39123E+10", "A spreadsheet shortened this number (1.39123E+10)", "1.39123E+10"),
    ("10086", "“10086” is a service number; it takes no SMS.", "10086"),
    ("+999 12345678", "No country has numbers like “+999 12345678”.", "+"),
    ("+14155550100", "Main may not send to United States.", "美国"),
    ("1" * 200, "This is too long for a phone number.", ""),
]


def problem(provider: str, typed: str) -> str:
    with pytest.raises(InvalidRecipient) as raised:
        recipient_for(account(provider), typed)
    return str(raised.value)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("typed", "english", "_chinese"), WRONG)
def test_a_wrong_number_is_refused_in_words(
    provider: str, typed: str, english: str, _chinese: str
) -> None:
    with override("en"):
        assert problem(provider, typed).startswith(english)


@pytest.mark.parametrize(("typed", "_english", "chinese"), WRONG)
def test_the_words_are_chinese_for_those_who_read_it(
    typed: str, _english: str, chinese: str
) -> None:
    with override("zh-hans"):
        said = problem("haorui", typed)
    assert chinese in said
    assert any("\u4e00" <= character <= "\u9fff" for character in said)


def test_a_country_that_is_allowed_can_be_sent_to() -> None:
    assert recipient_for(account("haorui", "US"), "+14155550100").country == "US"


def test_a_provider_that_cannot_take_a_number_says_which_ones_it_takes() -> None:
    with override("en"), pytest.raises(InvalidRecipient) as raised:
        recipient_for(account("haosms", "US"), "+14155550100")
    assert str(raised.value) == (
        "HaoSMS takes numbers of mainland China only, without +86. Choose another account."
    )


def test_a_channel_of_that_country_opens_it() -> None:
    open_account = account("haosms", "TH")
    open_account.options = {"other_channels": ["TH Channel 9"]}
    assert recipient_for(open_account, "+66812345678").country == "TH"
