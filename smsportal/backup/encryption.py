"""Encrypt a stream with a passphrase, in chunks, so that its size does not matter.

The file starts with a line that names the format and a line of JSON with the parameters. Then
follow the chunks, each sealed by AES-256-GCM under a key that scrypt makes from the passphrase.
The nonce of a chunk holds its number and whether it is the last, so that no chunk can be left out,
moved or cut off.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from . import BackupError

MAGIC: Final = b"smsportal encrypted 1\n"
CHUNK: Final = 1 << 20
TAG: Final = 16
COST = 1 << 15
"""scrypt's n: with r and p, 32 MB and a quarter of a second."""
MAX_HEADER: Final = 4096
MAX_SCRYPT_MEMORY: Final = 1 << 30
"""A changed header must not make us take all memory."""


@dataclass(frozen=True, slots=True)
class Parameters:
    salt: str
    prefix: str
    """The first seven bytes of each nonce. Salt and prefix are in base64."""
    n: int
    kdf: str = "scrypt"
    r: int = 8
    p: int = 3
    cipher: str = "AES-256-GCM"
    chunk: int = CHUNK

    def is_acceptable(self) -> bool:
        known = (self.kdf, self.cipher) == ("scrypt", "AES-256-GCM")
        small = 0 < self.chunk <= 64 * CHUNK and 128 * self.n * self.r <= MAX_SCRYPT_MEMORY
        return known and small and 0 < self.p <= 64 and len(self.prefix) == 12


def encrypt(pieces: Iterable[bytes], passphrase: str) -> Iterator[bytes]:
    salt, prefix = _base64(secrets.token_bytes(16)), _base64(secrets.token_bytes(7))
    parameters = Parameters(salt, prefix, COST)
    header = MAGIC + json.dumps(asdict(parameters)).encode() + b"\n"
    yield header
    cipher = _cipher(parameters, passphrase)
    for number, (data, is_last) in enumerate(_chunks(pieces, parameters.chunk)):
        yield cipher.encrypt(_nonce(parameters, number, is_last), data, header)


def decrypt(source: BinaryIO, passphrase: str) -> Iterator[bytes]:
    """The text of a file that `encrypt` wrote. Raises `BackupError` as soon as it does not fit."""
    header, parameters = _read_header(source)
    cipher = _cipher(parameters, passphrase)
    sealed = iter(lambda: source.read(parameters.chunk + TAG), b"")
    for number, (data, is_last) in enumerate(_with_last(sealed)):
        try:
            yield cipher.decrypt(_nonce(parameters, number, is_last), data, header)
        except InvalidTag:
            raise BackupError(
                "The passphrase is wrong." if not number else "An encrypted file is damaged."
            ) from None


def _read_header(source: BinaryIO) -> tuple[bytes, Parameters]:
    magic, line = source.read(len(MAGIC)), source.readline(MAX_HEADER)
    try:
        parameters = Parameters(**json.loads(line))
        if magic == MAGIC and parameters.is_acceptable():
            return magic + line, parameters
    except (ValueError, TypeError):
        pass
    raise BackupError("An encrypted file has no header that this version knows.")


def _cipher(parameters: Parameters, passphrase: str) -> AESGCM:
    salt = base64.b64decode(parameters.salt)
    scrypt = Scrypt(salt=salt, length=32, n=parameters.n, r=parameters.r, p=parameters.p)
    return AESGCM(scrypt.derive(passphrase.encode()))


def _nonce(parameters: Parameters, number: int, is_last: bool) -> bytes:
    return base64.b64decode(parameters.prefix) + number.to_bytes(4, "big") + bytes([is_last])


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _chunks(pieces: Iterable[bytes], size: int) -> Iterator[tuple[bytes, bool]]:
    """The same bytes in chunks of `size`, each with whether it is the last. At least one."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) > size:
            yield bytes(waiting[:size]), False
            del waiting[:size]
    yield bytes(waiting), True


def _with_last(chunks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    current = next(chunks, b"")
    for following in chunks:
        yield current, False
        current = following
    yield current, True
