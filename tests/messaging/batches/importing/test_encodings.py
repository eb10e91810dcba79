"""Telling the encoding of a file by its own letters."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.batches.importing.encodings import CHOICES, Encoding, encoding_of
from messaging.batches.importing.file_errors import Unreadable

GUESSED = {
    "cp1252": (
        "Telefon;Name\n+8613912345678;Müller\n+8613800138000;Schäfer",
        "Phone,Name\n1,José\n2,Núñez\n3,René",
        "Name,Phone\nJosé,1\nÉmile,2",
        "Name\nZoë,1",
    ),
    "cp1250": ("Jméno;Tel\nŘehoř;1\nDvořák;2", "Imię;Tel\nŁukasz Wiśniewski;1\nMałgorzata;2"),
    "cp1251": ("Телефон;Имя\n1;Иван Петров\n2;Пётр", "Phone,Name\n1,Анна"),
    "koi8_r": ("Телефон;Имя\n1;Иван Петров\n2;Сергей Кузнецов",),
    "cp1253": ("Τηλέφωνο;Όνομα\n1;Γιώργος\n2;Μαρία",),
    "cp1254": ("İsim;Tel\nŞükrü Yılmaz;1\nGökçe Doğan;2",),
    "cp1255": ("שם,טלפון\nדוד,1\nמשה,2",),
    "cp1256": ("الاسم,الهاتف\nمحمد,1\nفاطمة,2",),
    "cp874": ("ชื่อ,โทร\nสมชาย,1\nสมหญิง,2",),
    "cp950": ("Phone,Name\n+8613912345678,陳小明", "手機,姓名\n1,王大文\n2,林志玲"),
    "cp932": ("電話,氏名\n+819012345678,山田", "Phone,Name\n1,さくら\n2,タロウ"),
    "cp949": ("전화,이름\n1,김철수\n2,이영희", "Phone,Name\n1,박지성\n2,이영표"),
    "gb18030": (
        "手机,姓名\n1,张三\n2,李四",
        "Phone,Name\n1,王芳\n2,刘伟",
        "Name,Phone\nLi 李,1\n",
        "手机,姓名\n1,陈\n",
        "姓名\n𠮷野,1\n王小明,2\n李雷,3\n韩梅梅,4\n张伟,5",
    ),
}


def guess(content: bytes, chosen: str | None = None) -> Encoding:
    return encoding_of(lambda: io.BytesIO(content), chosen)


@pytest.mark.parametrize(
    ("encoding", "text"), [(name, text) for name, texts in GUESSED.items() for text in texts]
)
def test_an_older_encoding_is_guessed_by_its_letters(encoding: str, text: str) -> None:
    content = text.encode(encoding)
    found = guess(content)
    assert content.decode(found.name) == text
    assert found.is_guess
    assert found.letters == sum(byte > 0x7F for byte in content)
    assert found.readings[0].encoding == found.name


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
@pytest.mark.parametrize(
    "text", ["Phone,Name\n1,Müller", "手机,姓名\n13912345678,张三", "a,b\n1,2"]
)
def test_unicode_is_certain(encoding: str, text: str) -> None:
    found = guess(text.encode(encoding))
    assert text.encode(encoding).decode(found.name) == text
    assert not found.is_guess
    assert not found.readings


def test_a_guess_offers_other_readings_of_the_first_lines() -> None:
    lines = ["Telefon;Name", "1;Müller", "2;Schäfer", "3;Weiß", "4;Jürgen"]
    found = guess("\n".join(lines).encode("cp1252"))
    first, *others = found.readings
    assert (first.encoding, first.lines) == ("cp1252", lines[1:4])
    assert others
    assert all(len(one.lines) == 3 and one.lines != first.lines for one in others)


def test_a_chosen_encoding_is_used_or_refused() -> None:
    content = "Phone,Name\n1,陳小明".encode("cp950")
    assert guess(content, "cp1252").name == "cp1252"
    assert "cp950" in [one.encoding for one in guess(content, "cp1252").readings]
    with pytest.raises(Unreadable, match="file_encoding"):
        guess(content, "utf-8")
    assert guess(content, "no-such-encoding").name == "cp950"


def test_the_rest_of_the_file_can_rule_out_a_guess() -> None:
    # The evidence is Japanese; a byte far below has no meaning in Shift-JIS.
    content = "電話,氏名\n1,山田\n".encode("cp932") + "x,山田\n".encode("cp932") * 20_000
    assert guess(content).name == "cp932"
    assert guess(content + b"\x85\x2c2\n").name != "cp932"


def test_damaged_bytes_are_no_text() -> None:
    with pytest.raises(Unreadable, match="file_unreadable"):
        guess(b"phone\n\x00139")


@given(st.binary(max_size=200), st.sampled_from([None, *CHOICES]))
@settings(deadline=None)
def test_any_bytes_are_read_or_refused(content: bytes, chosen: str | None) -> None:
    try:
        found = guess(content, chosen)
    except Unreadable:
        return
    content.decode(found.name)
