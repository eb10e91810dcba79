"""Redaction by value, in every spelling, and combined with declared fields."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.redaction import (
    HIDDEN,
    Redactor,
    fields_of,
    redactor,
    storable,
    truncate,
)

SECRET = "p@ss/w:rd & <Ü>'\""
FIELDS = fields_of(frozenset({"password", "Code", "content"}), frozenset({"phone", "msisdn"}))

SPELLINGS = {
    "as it is": SECRET,
    "in a query": quote(SECRET, ""),
    "in a query, slash kept": quote(SECRET),
    "in a path": quote(SECRET, "/:@!$&'()*+,;="),
    "in a form": quote_plus(SECRET),
    "in a query, lower-case hex": quote(SECRET, "")
    .replace("%2F", "%2f")
    .replace("%C3%9C", "%c3%9c")
    .replace("%3A", "%3a")
    .replace("%3C", "%3c")
    .replace("%3E", "%3e"),
    "in a query in a query": quote(quote(SECRET, ""), ""),
    "in JSON": json.dumps(SECRET, ensure_ascii=False)[1:-1],
    "in ASCII JSON": json.dumps(SECRET)[1:-1],
    "in ASCII JSON, upper-case hex": json.dumps(SECRET)[1:-1].replace("\\u00dc", "\\u00DC"),
    "in JSON of PHP": json.dumps(SECRET)[1:-1].replace("/", "\\/"),
    "in HTML": html.escape(SECRET),
    "in HTML of PHP": html.escape(SECRET).replace("&#x27;", "&#039;"),
    "in HTML, quotes kept": html.escape(SECRET, quote=False),
    "in base64": base64.b64encode(SECRET.encode()).decode(),
    "in base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "in base64 without padding": base64.b64encode(SECRET.encode()).decode().rstrip("="),
    "in base64 in a query": quote(base64.b64encode(SECRET.encode()), ""),
}


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_secret_is_hidden_in_every_spelling(spelling: str) -> None:
    assert redactor((SECRET,)).redact_values(f"before {spelling} after") == f"before {HIDDEN} after"


@pytest.mark.parametrize("padding", ["=", ""], ids=["padded", "unpadded"])
@pytest.mark.parametrize("coded", ["fn5+P35+fj8", "fn5-P35-fj8"], ids=["plain", "for URLs"])
def test_secret_is_hidden_in_every_kind_of_base64(coded: str, padding: str) -> None:
    text = f"before {coded}{padding} after"
    assert redactor(("~~~?~~~?",)).redact_values(text) == f"before {HIDDEN} after"


def test_secret_that_is_no_valid_unicode_is_hidden_as_it_is() -> None:
    assert redactor(("pass\ud800word",)).redact_values("x pass\ud800word y") == f"x {HIDDEN} y"


DISGUISES = {
    "JSON escapes": "".join(f"\\u{ord(each):04x}" for each in "Kx7qP2"),
    "JSON escapes, upper case": "".join(f"\\u{ord(each):04X}" for each in "Kx7qP2"),
    "percent signs": "".join(f"%{ord(each):02X}" for each in "Kx7qP2"),
    "HTML entities": "".join(f"&#{ord(each)};" for each in "Kx7qP2"),
    "HTML entities, hex": "".join(f"&#x{ord(each):x};" for each in "Kx7qP2"),
    "UTF-16": "\x00".join("Kx7qP2"),
}


@pytest.mark.parametrize("disguised", DISGUISES.values(), ids=DISGUISES)
def test_escaped_secret_is_hidden(disguised: str) -> None:
    assert redactor(("Kx7qP2",)).redact_values(f"{{{disguised}}}") == f"{{{HIDDEN}}}"


@given(st.text(min_size=4), st.sampled_from([str, quote, quote_plus, json.dumps, html.escape]))
def test_no_secret_survives(secret: str, spelled: Callable[[str], str]) -> None:
    try:
        text = spelled(secret)
    except UnicodeEncodeError:
        return
    shown = redactor((secret,)).redact_values(f"({text})")
    assert secret not in shown.replace(HIDDEN, "")


def test_longer_secret_is_replaced_first() -> None:
    assert redactor(("abcd", "abcdef")).redact_values("abcdef") == HIDDEN


def test_very_short_secret_is_not_hidden_by_value() -> None:
    assert redactor(("abc",)).redact_values("the abc of it") == "the abc of it"


def test_empty_secret_hides_nothing() -> None:
    assert redactor(("",)).redact_values("text") == "text"


def test_other_text_is_unchanged() -> None:
    assert redactor((SECRET,)).redact_values('{"code": "200"}') == '{"code": "200"}'


# --- the values of one call ------------------------------------------------

CODE_IN = {
    "is 123456": f"is {HIDDEN}",
    "123456": HIDDEN,
    '"123456"': f'"{HIDDEN}"',
    "code=123456&a=1": f"code={HIDDEN}&a=1",
    "is%20123456%20": f"is%20{HIDDEN}%20",
    "is:\\n123456": f"is:\\n{HIDDEN}",
    "\\u7801123456\\u3002": f"\\u7801{HIDDEN}\\u3002",
    "验证码123456。": f"验证码{HIDDEN}。",
    "123456 123456": f"{HIDDEN} {HIDDEN}",
    "MTIzNDU2": HIDDEN,
}


@pytest.mark.parametrize(("text", "shown"), CODE_IN.items(), ids=CODE_IN)
def test_standalone_code_is_hidden(text: str, shown: str) -> None:
    assert Redactor().with_values(["123456"]).redact_values(text) == shown


@pytest.mark.parametrize("text", ["9123456", "1234567", "a123456", "123456b"])
def test_code_inside_a_longer_word_is_kept(text: str) -> None:
    assert Redactor().with_values(["123456"]).redact_values(text) == text


def test_one_character_code_is_hidden_as_a_word() -> None:
    assert Redactor().with_values(["7"]).redact_values("7 of 17 Nwe") == f"{HIDDEN} of 17 Nwe"


def test_token_is_hidden_inside_words() -> None:
    assert Redactor().with_values(["tok_9fA"]).redact_values("xtok_9fAy") == f"x{HIDDEN}y"


def test_values_of_a_call_add_to_the_secrets() -> None:
    known = redactor(("secret",)).with_values(["123456"])
    assert known.redact_values("secret 123456") == f"{HIDDEN} {HIDDEN}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("no such number 8613912345678", "no such number 861••••••5678"),
        ("+8613912345678", "+861••••••5678"),
        ("13912345678 is wrong", "139••••5678 is wrong"),
        ("008613912345678", "008••••••••5678"),
        ("13912345679", "13912345679"),
    ],
)
def test_phone_number_of_the_call_is_masked_in_every_notation(text: str, shown: str) -> None:
    assert Redactor().with_values(phones=["+8613912345678"]).redact_values(text) == shown


def test_digits_around_a_phone_number_are_masked_with_it() -> None:
    call = Redactor().with_values(phones=("+8613912345678",))
    assert call.redact_values("id 99139123456780 ok") == "id 991•••••••6780 ok"
    assert call.redact_values("139123456785 and 13912345678") == "139•••••6785 and 139••••5678"


def test_number_that_shares_only_seven_digits_is_another_one() -> None:
    call = Redactor().with_values(phones=("+8613912345678",))
    assert call.redact_values("13992345678") == "13992345678"


def test_without_declared_fields_only_values_are_hidden() -> None:
    assert redactor(("secret",)).redact_body('{"code": "1", "a": "secret"}') == (
        f'{{"code": "1", "a": "{HIDDEN}"}}'
    )


def test_form_hides_fields_and_values() -> None:
    text = urlencode({"password": "x", "note": SECRET})
    assert redactor((SECRET,)).redact_form(text, FIELDS) == f"password={HIDDEN}&note={HIDDEN}"


# --- storing ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b", "a␀b"),
        ("\ud800", "\\ud800"),
        ("\udcff ok", "\\udcff ok"),
        ("验 \u202e 😀", "验 \u202e 😀"),
        ("plain", "plain"),
    ],
)
def test_text_is_made_storable(text: str, shown: str) -> None:
    assert storable(text) == shown


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("abcdef", 6, "abcdef"),
        ("abcdefg", 6, "abc…"),
        ("验验验", 9, "验验验"),
        ("验验验验", 10, "验验…"),
        ("😀😀😀", 11, "😀😀"[:2] + "…"),
        ("", 0, ""),
    ],
)
def test_text_is_truncated_at_a_character_boundary(text: str, limit: int, shown: str) -> None:
    assert truncate(text, limit) == shown
