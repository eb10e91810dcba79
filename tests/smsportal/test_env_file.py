"""Files of settings are read as people and editors write them; the rest is reported by line."""

from __future__ import annotations

from pathlib import Path

import pytest

from smsportal.env_file import EnvFile, read_env_file


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


@pytest.mark.parametrize("encoding", ["gbk", "utf-16"])
def test_other_encoding_is_reported_with_its_line(tmp_path: Path, encoding: str) -> None:
    found = read(tmp_path, "A=1\n# 设置".encode(encoding))
    (problem,) = found.problems
    assert problem.endswith("is not UTF-8. Save the file as UTF-8.")
    assert str(tmp_path / ".env") in problem


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
