"""Where programs listen, and whether another program does."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from smsportal.configuration.addresses import (
    Address,
    AddressTaken,
    answers,
    parse_bind,
    require_free,
)


@pytest.mark.parametrize(
    ("bind", "expected"),
    [
        ("127.0.0.1:8000", ("127.0.0.1", 8000)),
        ("[::1]:8000", ("::1", 8000)),
        ("unix:/run/portal.sock", "/run/portal.sock"),
    ],
)
def test_bind_is_parsed_as_by_gunicorn(bind: str, expected: Address) -> None:
    assert parse_bind(bind) == expected


def test_port_in_use_is_reported_with_its_setting() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(AddressTaken, match="Choose another address with BIND"):
            require_free("BIND", other.getsockname())


def test_socket_file_in_use_is_reported(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(tmp_path / "web.sock"))
        other.listen()
        with pytest.raises(AddressTaken, match="another program listens"):
            require_free("BIND", str(tmp_path / "web.sock"))


def test_socket_file_of_a_dead_program_is_free(tmp_path: Path) -> None:
    file = str(tmp_path / "web.sock")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(file)
    require_free("BIND", file)
    assert not answers(file)


def test_folder_of_the_socket_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(AddressTaken, match=r"BIND: user id \d+ cannot create .* is missing"):
        require_free("BIND", str(tmp_path / "missing" / "web.sock"))


def test_program_answers_only_while_it_listens(tmp_path: Path) -> None:
    file = str(tmp_path / "web.sock")
    assert not answers(file)
    with socket.socket(socket.AF_UNIX) as program:
        program.bind(file)
        program.listen()
        assert answers(file)
