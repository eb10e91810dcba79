"""Bodies are decoded by their declared charset, or by the one that they are in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.gateway.charsets import declared_charset, decode

TEXT = '{"msg":"失败，余额不足","result":"成功"}'


@pytest.mark.parametrize(
    ("charset", "content_type"),
    [
        ("utf-8", ""),
        ("utf-8", "application/json; charset=utf-8"),
        ("utf-8", "application/json; charset=GBK"),
        ("utf-8", "application/json; charset=iso-8859-1"),
        ("utf-8", "application/json; charset=no-such"),
        ("utf-8-sig", ""),
        ("utf-8-sig", "application/json; charset=GBK"),
        ("gbk", ""),
        ("gbk", "application/json; charset=GBK"),
        ("gbk", 'text/plain;charset="gb2312"'),
        ("gbk", "text/plain; charset = gb18030"),
        ("gbk", "application/json; charset=utf-8"),
        ("gb18030", ""),
        ("utf-16", ""),
        ("utf-16", "application/json; charset=utf-8"),
        ("utf-16-le", ""),
        ("utf-16-be", ""),
        ("utf-32", ""),
        ("utf-32-be", ""),
        ("utf-16-le", "text/plain; charset=utf-16le"),
    ],
)
def test_chinese_body_is_decoded(charset: str, content_type: str) -> None:
    assert decode(TEXT.encode(charset), content_type) == TEXT


@pytest.mark.parametrize(
    ("charset", "text"),
    [("big5", "餘額不足"), ("shift_jis", "山田"), ("euc-kr", "김철수"), ("cp1252", "Müller")],
)
def test_declared_charset_of_another_script_is_believed(charset: str, text: str) -> None:
    assert decode(text.encode(charset), f"text/plain; charset={charset}") == text


@pytest.mark.parametrize("name", ["hex", "zip", "rot13", "unicode_escape", "idna", "utf-7", "\0"])
def test_codec_that_is_no_charset_is_not_used(name: str) -> None:
    assert declared_charset(f"text/plain; charset={name}") == ""


@given(st.binary(), st.sampled_from(["", "charset=gbk", "charset=utf-16", "charset=ascii"]))
def test_no_body_raises(body: bytes, content_type: str) -> None:
    assert isinstance(decode(body, content_type), str)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_utf_8_with_a_mark_is_kept(text: str) -> None:
    assert decode(text.encode("utf-8-sig"), "charset=gbk") == text
