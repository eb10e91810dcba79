"""Give pictures of pages a palette, which takes a third of the space.

Pages have few colours. The most frequent ones stay; every other becomes the nearest of them.
"""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
COLOURS: Final = 255
CHANNELS: Final = {2: 3, 6: 4}
"""By PNG's type of colour: RGB, and RGB with transparency, which is left out."""


class NotReadable(Exception):
    """The picture is none that a browser makes."""


def reduce_colours(path: Path) -> None:
    """Rewrite a PNG of 8 bits a channel with a palette."""
    width, height, pixels = read_pixels(path.read_bytes())
    path.write_bytes(write_palette(width, height, pixels))


def read_pixels(picture: bytes) -> tuple[int, int, list[bytes]]:
    """Width, height and the colour of each pixel."""
    if not picture.startswith(SIGNATURE):
        raise NotReadable
    header, packed = b"", b""
    for name, content in _chunks(picture):
        if name == b"IHDR":
            header = content
        elif name == b"IDAT":
            packed += content
    width, height, depth, kind, _compression, _filter, interlaced = struct.unpack(
        ">IIBBBBB", header
    )
    if depth != 8 or kind not in CHANNELS or interlaced:
        raise NotReadable
    size = CHANNELS[kind]
    pixels: list[bytes] = []
    for line in _lines(zlib.decompress(packed), width * size, size):
        pixels += [bytes(line[at : at + 3]) for at in range(0, width * size, size)]
    if len(pixels) != width * height:
        raise NotReadable
    return width, height, pixels


def write_palette(width: int, height: int, pixels: list[bytes]) -> bytes:
    counted = Counter(pixels)
    palette = [colour for colour, _count in counted.most_common(COLOURS)]
    places = {colour: place for place, colour in enumerate(palette)}
    for colour in counted:
        if colour not in places:
            places[colour] = min(range(len(palette)), key=lambda at: _distance(palette[at], colour))
    indices = bytes(places[pixel] for pixel in pixels)
    rows = b"".join(b"\0" + indices[at : at + width] for at in range(0, width * height, width))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = ((b"IHDR", header), (b"PLTE", b"".join(palette)), (b"IDAT", zlib.compress(rows, 9)))
    return SIGNATURE + b"".join(_chunk(*part) for part in (*parts, (b"IEND", b"")))


def _distance(one: bytes, other: bytes) -> int:
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        yield picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(name: bytes, content: bytes) -> bytes:
    check = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + check


def _lines(raw: bytes, length: int, size: int) -> Iterator[bytearray]:
    """The lines without PNG's filters, which say how a byte differs from its neighbours."""
    above = bytearray(length)
    for start in range(0, len(raw), length + 1):
        kind, line = raw[start], bytearray(raw[start + 1 : start + 1 + length])
        for at in range(length if kind else 0):
            left = line[at - size] if at >= size else 0
            corner = above[at - size] if at >= size else 0
            line[at] = (line[at] + _predicted(kind, left, above[at], corner)) & 255
        yield line
        above = line


def _predicted(kind: int, left: int, up: int, corner: int) -> int:
    match kind:
        case 1:
            return left
        case 2:
            return up
        case 3:
            return (left + up) // 2
        case 4:
            guess = left + up - corner
            return min((left, up, corner), key=lambda one: abs(guess - one))
    raise NotReadable
