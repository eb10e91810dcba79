"""Parse a recipient as staff type it, and explain why it cannot be used."""

from __future__ import annotations

import phonenumbers
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from core.countries import country_name
from core.phones.north_america import CALLING_CODE
from core.phones.parse import PhoneError, PhoneNumber, PhoneProblem, parse_number
from providers.gateway.client import CannotTake
from providers.models import Account

from . import do_not_send


class InvalidRecipient(ValueError):
    """The recipient cannot be used. The exception's text is the one shown beside the field."""


def recipient_for(account: Account, typed: str) -> PhoneNumber:
    """Return the number if the account may send to it.

    Raises `InvalidRecipient`, with the reason in the reader's language, if the text is no phone
    number, the account does not allow the country, the provider does not support the number, or
    the number is on the do-not-send list.
    """
    number = read_recipient(typed)
    require_account_takes(account, number.e164, number.country)
    entry = do_not_send.find_entry(number.e164)
    if entry is not None:
        raise InvalidRecipient(do_not_send.refusal_text(entry))
    return number


def require_account_takes(account: Account, e164: str, country: str) -> None:
    """Raise `InvalidRecipient` unless the account may send to this number.

    Does not ask the do-not-send list.
    """
    if country not in account.allowed_countries:
        raise InvalidRecipient(country_text(account, country))
    client = account.client
    if client is not None:
        try:
            client.format_recipient(e164, account.options)
        except CannotTake as cannot:
            raise InvalidRecipient(
                unsupported_text(cannot) + " " + _("Choose another account.")
            ) from None


def read_recipient(typed: str) -> PhoneNumber:
    """Parse a phone number. Raises `InvalidRecipient` with the reason."""
    try:
        return parse_number(typed, settings.HOME_COUNTRY)
    except PhoneError as error:
        words = phone_problem_text(
            error.kind,
            typed=error.typed.strip(),
            position=error.position,
            digits=error.digits,
            expected=error.expected,
            country=error.country,
        )
        raise InvalidRecipient(words) from None


def country_text(account: Account, country: str) -> str:
    return _(
        "%(account)s is not allowed to send to %(country)s. Choose another account, or"
        " ask a manager to allow it."
    ) % {"account": account.name, "country": country_name(country)}


def unsupported_text(cannot: CannotTake) -> str:
    """Explain why the provider does not support a value."""
    return _(cannot.text) % cannot.values


def phone_problem_text(kind: PhoneProblem, **values: object) -> str:
    """Explain why a text is no phone number; `values` are those of a `PhoneError`."""
    names = {
        "country": country_name(str(values.get("country") or "")),
        "home": country_name(settings.HOME_COUNTRY),
        "code": phonenumbers.country_code_for_region(settings.HOME_COUNTRY),
    }
    if kind == PhoneProblem.NO_AREA and names["code"] == CALLING_CODE:
        text = _("“%(typed)s” has no area code of North America (+1). Check the number.")
    else:
        text = str(_texts()[kind])
    return text % {**values, **names}


def _texts() -> dict[PhoneProblem, str | Promise]:
    return {
        PhoneProblem.EMPTY: _("Enter a phone number."),
        PhoneProblem.LETTER: _(
            "“%(typed)s” has a letter at position %(position)s. Enter digits only."
        ),
        PhoneProblem.CHARACTER: _(
            "“%(typed)s” has an unexpected character at position %(position)s. Enter digits only."
        ),
        PhoneProblem.FOREIGN_DIGITS: _(
            "“%(typed)s” mixes digits of two scripts. Enter the number with the digits 0 to 9."
        ),
        PhoneProblem.TWO_NUMBERS: _("“%(typed)s” contains two numbers. Enter only one."),
        PhoneProblem.SHORTENED: _(
            "A spreadsheet shortened this number (%(typed)s). Enter it in full."
        ),
        PhoneProblem.DECIMAL: _(
            "“%(typed)s” may be a decimal number, so its digits are uncertain. Enter the phone"
            " number in digits only."
        ),
        PhoneProblem.EXTENSION: _(
            "“%(typed)s” has an extension, which cannot receive SMS. Enter a mobile number."
        ),
        PhoneProblem.NORTH_AMERICA: _(
            "“%(typed)s” is grouped like a number in North America. Start with +1 if it is one;"
            " for a number in %(home)s, enter the digits without spaces or brackets."
        ),
        PhoneProblem.NO_AREA: _(
            "“%(typed)s” is read as a number in North America (+1), where this area code does not"
            " exist. If the number is in %(home)s, start it with +%(code)s."
        ),
        PhoneProblem.NO_PLUS: _(
            "“%(typed)s” is not a number in %(home)s, but may be one in %(country)s. Start with"
            " + and the country code."
        ),
        PhoneProblem.HOME_CODE: _(
            "“%(typed)s” is a number in %(home)s both with and without %(code)s in front. Start"
            " with + and the country code."
        ),
        PhoneProblem.DIGITS: _(
            "“%(typed)s” has %(digits)s digits; a mobile number in China has %(expected)s. Start"
            " a number of another country/region with + and the country code."
        ),
        PhoneProblem.TOO_SHORT: _(
            "“%(typed)s” is too short for a phone number. Check the country code and the area code."
        ),
        PhoneProblem.TOO_LONG: _(
            "This is too long for a phone number. Check the country code, and enter one number"
            " only."
        ),
        PhoneProblem.NOT_MOBILE: _(
            "“%(typed)s” does not start like a mobile number in mainland China. Check the number."
            " Start a number of another country/region with + and the country code."
        ),
        PhoneProblem.SERVICE: _("“%(typed)s” is a service number and cannot receive SMS."),
        PhoneProblem.UNKNOWN_COUNTRY: _(
            "“%(typed)s” does not match any country's numbers. Start with + and the country code."
        ),
    }
