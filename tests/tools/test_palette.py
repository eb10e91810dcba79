"""Pictures keep their frequent colours, and their lines are read whatever filter packed them."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest

from tools import palette

RED, GREEN, BLUE = b"\xff\0\0", b"\0\xff\0", b"\0\0\xff"


def picture(width: int, rows: bytes, *, kind: int = 2) -> bytes:
    height = len(rows) // (width * palette.CHANNELS[kind] + 1)
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return palette.SIGNATURE + b"".join(palette._chunk(*part) for part in parts)


@pytest.mark.parametrize(
    ("number", "second"),
    [
        (0, bytes([10, 20, 30, 40, 50, 60])),
        (1, bytes([10, 20, 30, 30, 30, 30])),
        (2, bytes([9, 18, 27, 36, 45, 54])),
        (3, bytes([10, 19, 29, 33, 38, 42])),
        (4, bytes([9, 18, 27, 30, 30, 30])),
    ],
)
def test_each_filter_of_a_line_is_read(number: int, second: bytes) -> None:
    first = bytes([1, 2, 3, 4, 5, 6])
    _width, _height, pixels = palette.read_pixels(
        picture(2, b"\0" + first + bytes([number]) + second)
    )
    assert pixels == [first[:3], first[3:], bytes([10, 20, 30]), bytes([40, 50, 60])]


def test_rare_colour_becomes_the_nearest_frequent_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(palette, "COLOURS", 2)
    path = tmp_path / "page.png"
    nearly_red = b"\xf0\0\0"
    row = b"\0" + b"".join(one + b"\xff" for one in (RED, RED, GREEN, GREEN, nearly_red))
    path.write_bytes(picture(5, row, kind=6))
    palette.reduce_colours(path)
    written = dict(palette._chunks(path.read_bytes()))
    assert written[b"PLTE"] == RED + GREEN
    assert zlib.decompress(written[b"IDAT"]) == b"\0" + bytes([0, 0, 1, 1, 0])


def test_what_is_no_such_picture_is_refused() -> None:
    for wrong in (b"GIF89a", palette.write_palette(1, 1, [BLUE])):
        with pytest.raises(palette.NotReadable):
            palette.read_pixels(wrong)
