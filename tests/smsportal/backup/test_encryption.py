"""A stream that is encrypted with a passphrase."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator

import pytest

from smsportal.backup import BackupError
from smsportal.backup.encryption import CHUNK, MAGIC, TAG, decrypt, encrypt

PASSPHRASE = "correct horse battery staple"


def sealed(data: bytes) -> bytes:
    return b"".join(encrypt([data], PASSPHRASE))


def opened(data: bytes, passphrase: str = PASSPHRASE) -> bytes:
    return b"".join(decrypt(io.BytesIO(data), passphrase))


def start_of_chunks(data: bytes) -> int:
    return data.index(b"\n", len(MAGIC)) + 1


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK])
def test_every_size_reads_back(size: int) -> None:
    data = os.urandom(size)
    assert opened(sealed(data)) == data


def test_small_pieces_make_the_same_chunks() -> None:
    pieces = [b"abc"] * 5
    assert opened(b"".join(encrypt(pieces, PASSPHRASE))) == b"".join(pieces)


def test_wrong_passphrase_is_one_sentence() -> None:
    with pytest.raises(BackupError, match=r"^The passphrase is wrong\.$"):
        opened(sealed(b"text"), "another passphrase")


def test_text_is_not_in_the_file_and_no_two_files_are_equal() -> None:
    one, two = sealed(b"a secret text"), sealed(b"a secret text")
    assert b"secret" not in one
    assert one != two


@pytest.mark.parametrize("place", [0, 100, CHUNK + TAG, -1])
def test_changed_byte_is_noticed(place: int) -> None:
    data = bytearray(sealed(os.urandom(CHUNK + 10)))
    start = start_of_chunks(bytes(data))
    data[start + place if place >= 0 else place] ^= 1
    with pytest.raises(BackupError):
        opened(bytes(data))


def test_changed_header_is_noticed() -> None:
    data = sealed(b"text").replace(b'"chunk": 1048576', b'"chunk": 1048577')
    with pytest.raises(BackupError):
        opened(data)


def test_file_that_ends_between_two_chunks_is_damaged() -> None:
    data = sealed(os.urandom(2 * CHUNK))
    cut = start_of_chunks(data) + CHUNK + TAG
    with pytest.raises(BackupError):
        opened(data[:cut])


def test_exchanged_chunks_are_noticed() -> None:
    data = sealed(os.urandom(3 * CHUNK))
    start, size = start_of_chunks(data), CHUNK + TAG
    first, second = data[start : start + size], data[start + size : start + 2 * size]
    with pytest.raises(BackupError):
        opened(data[:start] + second + first + data[start + 2 * size :])


@pytest.mark.parametrize("changes", [{"n": 1 << 40}, {"kdf": "none"}, {"chunk": 0}, {"more": 1}])
def test_unknown_or_huge_parameters_are_refused(changes: dict[str, object]) -> None:
    data = sealed(b"text")
    header = {**json.loads(data[len(MAGIC) : start_of_chunks(data)]), **changes}
    with pytest.raises(BackupError, match="no header that this version knows"):
        opened(MAGIC + json.dumps(header).encode() + b"\n" + data[start_of_chunks(data) :])


def test_any_other_file_is_refused() -> None:
    with pytest.raises(BackupError, match="no header"):
        opened(b"SQLite format 3\0")


def test_stream_is_encrypted_while_it_arrives() -> None:
    asked = 0

    def pieces() -> Iterator[bytes]:
        nonlocal asked
        for _ in range(10):
            asked += 1
            yield bytes(CHUNK)

    stream = encrypt(pieces(), PASSPHRASE)
    next(stream)  # the header
    next(stream)
    assert asked < 4
