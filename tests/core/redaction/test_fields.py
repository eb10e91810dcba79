"""Redaction by declared field: JSON (complete or truncated), forms, and other text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.redaction import HIDDEN, Redactor, fields_of, mask_phone

FIELDS = fields_of(frozenset({"password", "Code", "content"}), frozenset({"phone", "msisdn"}))

# --- masking ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("13912345678", "139••••5678"),
        ("+8613912345678", "+861••••••5678"),
        ("+86 139-1234-5678", "+86 1••-••••-5678"),
        ("12345678", "123•5678"),
        ("1234567", "•••••67"),
        ("110", "•10"),
        ("12", "12"),
        ("", ""),
        ("whatsapp:+12025550123", "••••••••:+120••••0123"),
        ("１３９１２３４５６７８", "１３９••••５６７８"),
    ],
)
def test_mask_keeps_the_ends_and_the_length_of_a_number(phone: str, shown: str) -> None:
    assert mask_phone(phone) == shown


# --- by field, JSON --------------------------------------------------------

JSON_BODIES = {
    '{"password": "a"}': '{"password": "[hidden]"}',
    '{"PassWord" : "a"}': '{"PassWord" : "[hidden]"}',
    '{"pass\\u0077ord": "a"}': '{"password": "[hidden]"}',
    '{"code": 123456, "n": 1}': '{"code": "[hidden]", "n": 1}',
    '{"code": -1.5e3}': '{"code": "[hidden]"}',
    '{"code": true}': '{"code": "[hidden]"}',
    '{"code": null, "content": ""}': '{"code": null, "content": ""}',
    '{"code": {"a": ["}", 1]}, "n": 1}': '{"code": "[hidden]", "n": 1}',
    '{"code": [1, [2]], "n": 1}': '{"code": "[hidden]", "n": 1}',
    '{"a": [{"b": {"code": "1"}}]}': '{"a": [{"b": {"code": "[hidden]"}}]}',
    '[{"code": "1"}, {"code": "2"}]': '[{"code": "[hidden]"}, {"code": "[hidden]"}]',
    '{"code": "a\\"b", "n": 1}': '{"code": "[hidden]", "n": 1}',
    '{"code": "1", "code": "2"}': '{"code": "[hidden]", "code": "[hidden]"}',
    '{"code_name": "a", "mycode": "b"}': '{"code_name": "a", "mycode": "b"}',
    '{"a": "code", "b": "\\"code\\": 1"}': '{"a": "code", "b": "\\"code\\": 1"}',
    '{"data": "{\\"code\\": \\"12\\"}", "n": 1}': '{"data": "[hidden]", "n": 1}',
    '{"data": "[{\\"a\\": 1, \\"phone\\": \\"139': '{"data": "[hidden]"',
    '{"data": "code=12&a=1"}': '{"data": "[hidden]"}',
    '{"data": "<code>12</code>"}': '{"data": "[hidden]"}',
    '{"data": "{\\"a\\": 1}"}': '{"data": "{\\"a\\": 1}"}',
    '{"price": 1000.50, "n": 1E2}': '{"price": 1000.50, "n": 1E2}',
    '\ufeff {"code": "1"}': '\ufeff {"code": "[hidden]"}',
    '{"phone": "+8613912345678"}': '{"phone": "+861••••••5678"}',
    '{"phone": 8613912345678}': '{"phone": "861••••••5678"}',
    '{"phone": null}': '{"phone": null}',
    '{"phone": ["13912345678"]}': '{"phone": "[hidden]"}',
    '{"n": 1, "code": "12': '{"n": 1, "code": "[hidden]"',
    '{"n": 1, "code": 12': '{"n": 1, "code": "[hidden]"',
    '{"n": 1, "code": {"a": 1': '{"n": 1, "code": "[hidden]"',
    '{"n": 1, "code": "a\\': '{"n": 1, "code": "[hidden]"',
    '{"n": 1, "phone": "139123': '{"n": 1, "phone": "[hidden]"',
    '{"n": 1, "code":': '{"n": 1, "code":',
    '{"n": 1, "co': '{"n": 1, "co',
}


@pytest.mark.parametrize(("body", "shown"), JSON_BODIES.items(), ids=map(ascii, JSON_BODIES))
def test_json_fields_are_redacted_even_in_truncated_bodies(body: str, shown: str) -> None:
    assert Redactor().redact_body(body, FIELDS) == shown


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inside: (
            st.lists(inside, max_size=3)
            | st.dictionaries(st.sampled_from(["a", "code", "b\\", '"', "msg"]), inside, max_size=4)
        ),
        max_leaves=12,
    ).filter(lambda value: isinstance(value, dict | list)),
    st.booleans(),
)
def test_all_hidden_fields_and_nothing_else_are_redacted(value: Any, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert json.loads(Redactor().redact_body(text, FIELDS)) == without_code(value)


def without_code(value: Any) -> Any:
    if isinstance(value, list):
        return [without_code(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name: HIDDEN if name == "code" and each not in ("", None) else without_code(each)
        for name, each in value.items()
    }


# --- by field, forms and other text ----------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("username=a&password=b&n=1", "username=a&password=[hidden]&n=1"),
        ("PASSWORD=b", "PASSWORD=[hidden]"),
        ("pass%77ord=b", "password=[hidden]"),
        ("password=", "password="),
        ("password", "password"),
        ("code=1&code=2", "code=[hidden]&code=[hidden]"),
        ("code=a%26b%3Dc&n=1", "code=[hidden]&n=1"),
        ("msisdn=%2B8613912345678", "msisdn=+861••••••5678"),
        ("a=1&&b=2", "a=1&&b=2"),
        ("", ""),
    ],
)
def test_form_fields_are_redacted(text: str, shown: str) -> None:
    assert Redactor().redact_form(text, FIELDS) == shown


def test_form_body_is_redacted_by_field() -> None:
    assert Redactor().redact_body("status=ERROR&code=1\n", FIELDS) == f"status=ERROR&code={HIDDEN}"


@pytest.mark.parametrize(
    "page",
    [
        "<code>123456</code>",
        "code => 123456",
        "{'code': '123456'}",
        "{code: 123456}",
        "[error] code=123456",
        'callback({"code": "123456"})',
        "Code: 123456",
    ],
)
def test_unknown_format_that_states_a_field_is_hidden_completely(page: str) -> None:
    assert Redactor().redact_body(page, FIELDS) == HIDDEN


@pytest.mark.parametrize(
    "page", ["<html><h1>502 Bad Gateway</h1></html>", "unicode: yes", "ok", "a == b", ""]
)
def test_text_without_covered_fields_is_unchanged(page: str) -> None:
    assert Redactor().redact_body(page, FIELDS) == page


@pytest.mark.parametrize(
    "text", ['"\\' * 30_000, '{"a' * 30_000, "%" * 60_000, '{"code": [' * 9_000]
)
def test_hostile_text_is_redacted_in_linear_time(text: str) -> None:
    Redactor().with_values(["123456"]).redact_body("{" + text, FIELDS)
