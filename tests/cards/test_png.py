"""Pictures are checked to the last row, and nothing but the picture is kept."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cards import png
from tests.cards.people import picture


def a_png(width: int, height: int, depth: int, colour: int, interlaced: int = 0, rows: bytes | None = None) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    palette = [(b"PLTE", b"\1\2\3")] if colour == 3 else []
    content = rows if rows is not None else bytes(_size(width, height, depth, colour, interlaced))
    return png.write([(b"IHDR", header), *palette, (b"IDAT", zlib.compress(content))])


def _size(width: int, height: int, depth: int, colour: int, interlaced: int) -> int:
    """Worked out pixel by pixel: which pass has it, and what a row of that pass weighs."""
    of_pass = (1, 6, 4, 6, 2, 6, 4, 6, 7, 7, 7, 7, 7, 7, 7, 7, 5, 6, 5, 6, 5, 6, 5, 6, 7, 7, 7, 7, 7, 7, 7, 7, 3, 6, 4, 6,
               3, 6, 4, 6, 7, 7, 7, 7, 7, 7, 7, 7, 5, 6, 5, 6, 5, 6, 5, 6, 7, 7, 7, 7, 7, 7, 7, 7)  # fmt: skip
    rows: dict[tuple[int, int], int] = {}
    for y in range(height):
        for x in range(width):
            which = (of_pass[y % 8 * 8 + x % 8] if interlaced else 0, y)
            rows[which] = rows.get(which, 0) + depth * {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    return sum(1 + (bits + 7) // 8 for bits in rows.values())


FORMS = [(0, 1), (0, 16), (2, 8), (2, 16), (3, 2), (4, 8), (6, 8), (6, 16)]


@given(st.integers(1, 20), st.integers(1, 20), st.sampled_from(FORMS), st.integers(0, 1))
def test_every_kind_of_png_is_one(width: int, height: int, form: tuple[int, int], interlaced: int) -> None:
    """All colours, depths and Adam7; and one byte too many or too few is told."""
    colour, depth = form
    content = bytes(_size(width, height, depth, colour, interlaced))
    assert png.clean(a_png(width, height, depth, colour, interlaced))
    for wrong in (content + b"\0", content[:-1]):
        with pytest.raises(png.BadPicture):
            png.clean(a_png(width, height, depth, colour, interlaced, wrong))


def test_nothing_but_the_picture_is_kept() -> None:
    """Texts, places and times stay at home; what is clean stays as it is."""
    cleaned = png.clean(picture())
    assert [chunk.kind for chunk in png.chunks(cleaned)] == [b"IHDR", b"IDAT", b"IEND"]
    assert b"home" not in cleaned and png.clean(cleaned) == cleaned == png.clean(cleaned + b"a tail")


@given(st.integers(0, 10_000), st.integers(1, 255))
def test_a_damaged_picture_is_told(at: int, change: int) -> None:
    """Any byte of the picture itself that is another one, and any cut."""
    whole = png.clean(picture(8, 8))
    at %= len(whole)
    damaged = bytearray(whole)
    damaged[at] ^= change
    with pytest.raises(png.BadPicture):
        png.clean(bytes(damaged[:-4]) if at >= len(whole) - 4 else bytes(damaged))  # IEND's checksum is nobody's loss
    with pytest.raises(png.BadPicture):
        png.clean(whole[:at])


@pytest.mark.parametrize(
    "bad",
    [
        a_png(1, 1, 8, 5, rows=b"\0\0"),
        a_png(1, 1, 3, 0, rows=b"\0\0"),
        a_png(1, 1, 8, 0, rows=b"\5\0"),
        png.write([(b"IHDR", struct.pack(">IIBBBBB", 0, 1, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(b""))]),
        png.write([(b"IHDR", struct.pack(">IIBBBBB", 2**20, 2**20, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(b""))]),
        png.write([(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 3, 0, 0, 0)), (b"IDAT", zlib.compress(b"\0\0"))]),
        png.write([(b"IHDR", b"short"), (b"IDAT", b"")]),
        png.write([(b"IDAT", zlib.compress(b"\0\0"))]),
        b"GIF89a",
        b"",
    ],
    ids=["colour", "depth", "filter", "no width", "too large", "no palette", "header", "no header", "gif", "empty"],
)
def test_what_is_no_picture_is_told(bad: bytes) -> None:
    """Before a browser has to find out."""
    with pytest.raises(png.BadPicture):
        png.clean(bad)


def test_a_bomb_is_not_unpacked() -> None:
    """Gigabytes of nothing in a few bytes: no more is unpacked than the picture can hold, nor of a text."""
    bomb = zlib.compress(bytes(200 * 2**20), 9)
    header = struct.pack(">IIBBBBB", 4, 4, 8, 6, 0, 0, 0)
    with pytest.raises(png.BadPicture, match="太大"):
        png.clean(png.write([(b"IHDR", header), (b"IDAT", bomb)]))
    with pytest.raises(png.BadPicture, match="太大"):
        png.texts(png.write([(b"IHDR", header), (b"zTXt", b"chara\0\0" + bomb), (b"IDAT", b"")]))


def test_texts_are_found_in_each_kind_of_chunk() -> None:
    """Plain, packed and international."""
    marks = [
        (b"tEXt", b"a\0plain"),
        (b"zTXt", b"b\0\0" + zlib.compress(b"packed")),
        (b"iTXt", b"c\0\0\0zh\0\xe5\xad\x97\0" + "字".encode()),
        (b"iTXt", b"d\0\1\0\0\0" + zlib.compress(b"both")),
        (b"tEXt", b"a\0second"),
    ]
    assert png.texts(picture(extra=marks)) == {
        "Comment": b"taken at home", "a": b"plain", "b": b"packed", "c": "字".encode(), "d": b"both"
    }  # fmt: skip


def test_texts_that_are_put_in_are_found_again() -> None:
    """And the picture is a picture still."""
    marked = png.with_texts(png.plain(40, 60, 128), {"chara": b"one", "ccv3": b"two"})
    assert png.texts(marked) == {"chara": b"one", "ccv3": b"two"}
    assert png.clean(marked) == png.clean(png.plain(40, 60, 128))
