"""Callbacks with any content: the address never fails, keeps the row and processes it."""

from __future__ import annotations

import json
import logging
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from providers.callbacks.receive import MAX_QUERY
from providers.models import Account, Callback
from tests.factories.accounts import make_account
from tests.factories.messages import make_message
from tests.providers.callbacks.pushes import process_received, token_of

from .examples import json_values, rolled_back, search, texts

pytestmark = [pytest.mark.django_db, pytest.mark.any_database, pytest.mark.fuzz]
REFERENCE = "f" * 32
FIELDS = {
    "haorui": ("uid", "message_id", "DLRStatus", "ErrorCode", "ErrorDescription", "PhoneNumber"),
    "otpservice": ("STATUS", "TYPE", "CODE", "MSG", "MSGID", "EXTID"),
}
WORDS = ("Delivered", "Failed", "SUCCESS", "ERROR", "0", "1", "200", "400", REFERENCE, "5")
CONTENT_TYPES = (
    "application/json",
    "application/json; charset=utf-16",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "multipart/form-data",
    "text/plain; charset=no-such-charset",
    "text/xml",
    "",
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030", "latin-1")
values = st.sampled_from(WORDS) | json_values
providers = st.sampled_from(sorted(FIELDS))


@st.composite
def reports(draw: st.DrawFn, provider: str) -> dict[str, Any]:
    names = st.sampled_from(FIELDS[provider]) | texts
    found: dict[str, Any] = draw(st.dictionaries(names, values, max_size=8))
    return found


@st.composite
def bodies(draw: st.DrawFn, provider: str) -> bytes:
    report = draw(reports(provider))
    encoding = draw(st.sampled_from(ENCODINGS))
    body = draw(
        st.sampled_from(
            [
                json.dumps(report, ensure_ascii=False),
                json.dumps([report, report]),
                urlencode({name: str(value) for name, value in report.items()}, errors="replace"),
            ]
        )
    ).encode(encoding, "replace")
    cut = draw(st.integers(0, len(body)))
    return draw(st.sampled_from([body, body, body[:cut], body + b"\x00\xff"]) | st.binary())


@pytest.fixture
def accounts(db: None) -> dict[str, Account]:
    made = {provider: make_account(provider) for provider in FIELDS}
    for account in made.values():
        kind = {"kind": "text"} if account.provider == "haorui" else {"kind": "provider_code"}
        make_message(account, state="submitted", provider_id="5", **kind)
    return made


@search
@given(data=st.data())
def test_posted_callback_is_stored_and_processed(
    data: st.DataObject, accounts: dict[str, Account], caplog: pytest.LogCaptureFixture
) -> None:
    provider = data.draw(providers)
    body = data.draw(bodies(provider))
    content_type = data.draw(st.sampled_from(CONTENT_TYPES))
    address = f"/callbacks/{token_of(accounts[provider])}/"
    with rolled_back():
        answer = Client().generic("POST", address, body, content_type)
        _assert_stored_and_processed(answer.status_code, caplog)


@search
@given(data=st.data())
def test_queried_callback_is_stored_and_processed(
    data: st.DataObject, accounts: dict[str, Account], caplog: pytest.LogCaptureFixture
) -> None:
    provider = data.draw(providers)
    report = data.draw(reports(provider))
    pairs = [f"{quote(name, errors='replace')}={quote(str(one), errors='replace')}"
             for name, one in report.items()]  # fmt: skip
    raw = "".join(map(chr, data.draw(st.binary(max_size=50)))).replace("#", "")
    query = data.draw(st.sampled_from(["&".join(pairs), "&".join([*pairs, raw])]))
    address = f"/callbacks/{token_of(accounts[provider])}/"
    with rolled_back():
        answer = Client().get(address, QUERY_STRING=query)
        if len(query) <= MAX_QUERY:
            _assert_stored_and_processed(answer.status_code, caplog)
        else:
            assert answer.status_code in (405, 413)


def _assert_stored_and_processed(status: int, caplog: pytest.LogCaptureFixture) -> None:
    assert status == 200 or 400 <= status < 500
    assert Callback.objects.count() == (status == 200)
    caplog.clear()
    process_received()
    assert not [one for one in caplog.records if one.levelno >= logging.ERROR]
    assert not Callback.objects.filter(state="received").exists()
