"""Files of settings are read as people and editors write them; the rest is reported by line."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsportal.configuration.env_file import EnvFile, read_env_file


def read(folder: Path, content: str | bytes) -> EnvFile:
    file = folder / ".env"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_env_file(file)


def values(found: EnvFile) -> dict[str, str]:
    assert found.problems == []
    return {name: entry.value for name, entry in found.entries.items()}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=2", "2"),
        ("A=2 # two", "2"),
        ("A=2\t# two", "2"),
        ("A=# nothing", ""),
        ("A=", ""),
        ("A=b#c", "b#c"),
        ("A = 2", "2"),
        ("  export A=2  ", "2"),
        ("A='2 # two'", "2 # two"),
        ("A='2' # two", "2"),
        ('A="2 # two"', "2 # two"),
        (r'A="say \"two\""', 'say "two"'),
        (r'A="two\nlines"', r"two\nlines"),
        ("A=postgres://u:p'w@h/n", "postgres://u:p'w@h/n"),
        ("A=x=y", "x=y"),
    ],
)
def test_value_is_read_without_quotes_and_comment(tmp_path: Path, line: str, value: str) -> None:
    assert values(read(tmp_path, line)) == {"A": value}


def test_byte_order_mark_belongs_to_no_name(tmp_path: Path) -> None:
    assert values(read(tmp_path, b"\xef\xbb\xbfA=1\r\nB=2\r\n")) == {"A": "1", "B": "2"}


def test_comments_and_empty_lines_are_skipped(tmp_path: Path) -> None:
    assert values(read(tmp_path, "# A=1\n\n   # 中文\nB=2")) == {"B": "2"}


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_unicode_is_read_in_every_encoding(tmp_path: Path, encoding: str, line_end: str) -> None:
    lines = ["A=1 # 一", "# 设置", "B=短信", "C='2'"]
    found = read(tmp_path, line_end.join(lines).encode(encoding))
    assert values(found) == {"A": "1", "B": "短信", "C": "2"}


@pytest.mark.parametrize(
    ("encoding", "word"),
    [("gbk", "设置"), ("big5", "設定"), ("cp1252", "für"), ("shift_jis", "設定")],
)
def test_comments_in_another_encoding_do_no_harm(tmp_path: Path, encoding: str, word: str) -> None:
    content = f"# {word}\nA=1 # {word}\nB='2' # {word}\n".encode(encoding)
    assert values(read(tmp_path, content)) == {"A": "1", "B": "2"}


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_value_in_another_encoding_is_reported_with_its_line(tmp_path: Path, mark: bytes) -> None:
    found = read(tmp_path, mark + "A=1\nB=短信\n".encode("gbk"))
    assert {name: entry.value for name, entry in found.entries.items()} == {"A": "1"}
    (problem,) = found.problems
    assert problem == (
        f"{tmp_path / '.env'}, line 2: the value of B is not UTF-8. Save the file as UTF-8."
    )


@pytest.mark.parametrize("content", [b"\xff\xfeA", b"\xfe\xff\xd8\x00", b"A\x00=\x001"])
def test_damaged_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    (problem,) = read(tmp_path, content).problems
    assert problem.endswith("is neither UTF-8 nor UTF-16. Save the file as UTF-8.")


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_reported(content: bytes) -> None:
    with TemporaryDirectory() as folder:
        found = read(Path(folder), content)
    for entry in found.entries.values():
        entry.value.encode()
    for problem in found.problems:
        problem.encode()


def test_line_without_a_name_is_reported_without_its_text(tmp_path: Path) -> None:
    found = read(tmp_path, "A=1\nhunter2\n")
    assert found.problems == [f"{tmp_path / '.env'}, line 2, is not NAME=value."]


@pytest.mark.parametrize("line", ["A='hunter2", 'A="hunter2', "A='hunter2'3", 'A="hunter2" 3'])
def test_unmatched_quotes_are_reported_without_the_value(tmp_path: Path, line: str) -> None:
    (problem,) = read(tmp_path, line).problems
    assert problem.endswith("line 1: the quotes around A do not match.")


def test_name_with_two_values_is_reported(tmp_path: Path) -> None:
    (problem,) = read(tmp_path, "A=1\nB=2\nA=3").problems
    assert problem.endswith("has A twice, in lines 1 and 3, with two values.")


def test_same_value_twice_is_no_problem(tmp_path: Path) -> None:
    assert values(read(tmp_path, "A=1\nA=1")) == {"A": "1"}


def test_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    (problem,) = read_env_file(tmp_path).problems
    assert "cannot be read by user id" in problem
