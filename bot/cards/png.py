"""PNG files: checked down to the last row, stripped of all but the picture, and the texts that cards hide in them.

Chunks as in the PNG specification (https://www.w3.org/TR/png-3/): length, type, data, CRC.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MOST_PIXELS = 16 * 2**20
MOST_TEXT = 8 * 2**20

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))  # Adam7


class BadPicture(ValueError):
    """Not a whole PNG; the text says why, for people."""


class Chunk(NamedTuple):
    kind: bytes
    data: bytes
    sound: bool  # its checksum is right


def clean(png: bytes) -> bytes:
    """The same picture without anything else in the file (texts, profiles, times, further frames). Raises BadPicture."""
    kept = dict.fromkeys((b"IHDR", b"PLTE", b"tRNS", b"IDAT"), b"")
    for chunk in chunks(png):
        if chunk.kind in kept:
            if not chunk.sound:
                raise BadPicture(f"{chunk.kind.decode()} 的校验和不对，图片已损坏")
            if kept[chunk.kind] and chunk.kind != b"IDAT":
                raise BadPicture(f"{chunk.kind.decode()} 出现了两次")
            kept[chunk.kind] += chunk.data
        elif chunk.kind[:1].isupper() and chunk.kind != b"IEND":
            raise BadPicture(f"不认识的数据块 {chunk.kind!r}")
    _check_rows(kept[b"IHDR"], kept[b"PLTE"], kept[b"IDAT"])
    return write([(kind, data) for kind, data in kept.items() if data])


def chunks(png: bytes) -> Iterator[Chunk]:
    """Every chunk, up to IEND. What follows that is no part of the picture. Raises BadPicture."""
    if not png.startswith(SIGNATURE):
        raise BadPicture("不是 PNG")
    at = len(SIGNATURE)
    while True:
        if at + 12 > len(png):
            raise BadPicture("文件不完整，后面缺了一截")
        (length,) = struct.unpack_from(">I", png, at)
        kind, data = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        if len(data) < length or at + 12 + length > len(png):
            raise BadPicture("文件不完整，后面缺了一截")
        (checksum,) = struct.unpack_from(">I", png, at + 8 + length)
        yield Chunk(kind, data, checksum == zlib.crc32(kind + data))
        if kind == b"IEND":
            return
        at += 12 + length


def write(parts: list[tuple[bytes, bytes]]) -> bytes:
    """A PNG of these chunks, IEND after them."""
    return SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in [*parts, (b"IEND", b"")]
    )


def texts(png: bytes) -> dict[str, bytes]:
    """The texts in the file by keyword, as bytes; the first of each. Raises BadPicture."""
    found: dict[str, bytes] = {}
    for chunk in chunks(png):
        if chunk.kind in (b"tEXt", b"zTXt", b"iTXt"):
            keyword, _, rest = chunk.data.partition(b"\0")
            found.setdefault(keyword.decode("latin-1"), _text(chunk.kind, rest))
    return found


def with_texts(png: bytes, added: dict[str, bytes]) -> bytes:
    """The clean picture with these texts (ASCII) before its rows."""
    parts = [(chunk.kind, chunk.data) for chunk in chunks(png) if chunk.kind != b"IEND"]
    rows = next(index for index, (kind, _) in enumerate(parts) if kind == b"IDAT")
    marks = [(b"tEXt", keyword.encode("latin-1") + b"\0" + text) for keyword, text in added.items()]
    return write([*parts[:rows], *marks, *parts[rows:]])


def plain(width: int, height: int, grey: int) -> bytes:
    """A picture of one shade."""
    row = b"\0" + bytes([grey]) * width
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return write([(b"IHDR", header), (b"IDAT", zlib.compress(row * height, 9))])


def _text(kind: bytes, rest: bytes) -> bytes:
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return _unpacked(rest[1:], MOST_TEXT, "文字块")
    packed, rest = rest[:1] == b"\1", rest[2:]
    _language, _, rest = rest.partition(b"\0")
    _translated, _, text = rest.partition(b"\0")
    return _unpacked(text, MOST_TEXT, "文字块") if packed else text


def _unpacked(data: bytes, most: int, what: str) -> bytes:
    """Raises BadPicture before more than `most` bytes are unpacked."""
    reader = zlib.decompressobj()
    try:
        unpacked = reader.decompress(data, most + 1)
    except zlib.error as error:
        raise BadPicture(f"{what}解不开，图片已损坏") from error
    if len(unpacked) > most:
        raise BadPicture(f"{what}解开后太大，可能是恶意文件")
    if not reader.eof:
        raise BadPicture(f"{what}不完整，图片已损坏")
    return unpacked


def _check_rows(header: bytes, palette: bytes, rows: bytes) -> None:
    """All rows are there, of the right length and kind."""
    if len(header) != 13:
        raise BadPicture("没有图片头")
    width, height, depth, colour, packing, filtering, interlaced = struct.unpack(">IIBBBBB", header)
    if not (0 < width < 2**31 and 0 < height < 2**31) or width * height > MOST_PIXELS:
        raise BadPicture(f"{width}×{height} 太大，最多 {MOST_PIXELS >> 20} 百万像素")
    if depth not in _DEPTHS.get(colour, ()) or packing or filtering or interlaced > 1:
        raise BadPicture("图片头里的格式不存在")
    if len(palette) % 3 or len(palette) > 768 or (colour == 3 and not palette):
        raise BadPicture("调色板不对")
    sizes = list(_pass_sizes(width, height, interlaced))
    bits = depth * _CHANNELS[colour]
    lengths = [(1 + (w * bits + 7) // 8, h) for w, h in sizes]
    expected = sum(length * h for length, h in lengths)
    data = _unpacked(rows, expected, "图片内容")
    if len(data) != expected:
        raise BadPicture("图片内容不完整")
    at = 0
    for length, count in lengths:
        if max(data[at : at + length * count : length], default=0) > 4:
            raise BadPicture("图片内容已损坏")
        at += length * count


def _pass_sizes(width: int, height: int, interlaced: int) -> Iterator[tuple[int, int]]:
    if not interlaced:
        yield width, height
        return
    for left, top, right, down in _PASSES:
        w, h = (width - left + right - 1) // right, (height - top + down - 1) // down
        if w > 0 and h > 0:
            yield w, h
