"""Bilibili's frames: what one websocket message holds, and what we send. Pure; nothing that comes in raises.

A frame is a row of packets. Each begins with 16 bytes, big endian: u32 length of the packet, u16 length of this header,
u16 version, u32 operation, u32 number. Version 0 and 1 are plain, 2 is zlib, 3 is brotli; inflated, a body is again a
row of plain packets. What can be read is read, the rest is counted.

Brotli is read where a `brotli` is installed that can stop at a size (1.2); we never ask the server for it.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from struct import Struct
from typing import Any

HEADER = Struct(">IHHII")

HEARTBEAT, HEARTBEAT_REPLY, COMMAND, AUTH, AUTH_REPLY = 2, 3, 5, 7, 8
JSON, PLAIN, ZLIB, BROTLI = 0, 1, 2, 3
_VERSIONS = frozenset({JSON, PLAIN, ZLIB, BROTLI})

INFLATED_BYTES = 4 << 20  # a busy room's frame is some 50 kB; more than this is an attack, and dropped as a whole


@dataclass(slots=True)
class Found:
    """What a frame held. `auth` is the code of the answer to our login (0: fine; -1 also where it cannot be read),
    None: it held none. `bad` counts what could not be read."""

    commands: list[Any] = field(default_factory=list)
    auth: int | None = None
    heartbeats: int = 0
    bad: int = 0


def packet(operation: int, body: bytes = b"", version: int = PLAIN) -> bytes:
    return HEADER.pack(HEADER.size + len(body), HEADER.size, version, operation, 1) + body


def read(frame: bytes) -> Found:
    """Everything in one binary websocket message."""
    found = Found()
    _row(frame, found, inflate=True)
    return found


def _row(data: bytes, found: Found, *, inflate: bool) -> None:
    place = 0
    while place < len(data):
        if not _begins(data, place):
            found.bad += 1
            return
        size, head, version, operation, _ = HEADER.unpack_from(data, place)
        if operation == HEARTBEAT_REPLY:
            found.heartbeats += 1
            # Behind it stands what we sent, which its length does not count: only what looks like a packet goes on.
            place += size
            if not _begins(data, place):
                return
            continue
        body = data[place + head : place + size]
        place += size
        if version in (ZLIB, BROTLI):
            inner = _inflated(body, version, found) if inflate else b""
            if inner:
                _row(inner, found, inflate=False)
            else:
                found.bad += 1
        else:
            _body(operation, body, found)


def _begins(data: bytes, place: int) -> bool:
    """Whether a header that makes sense is there."""
    if len(data) - place < HEADER.size:
        return False
    size, head, version, _, _ = HEADER.unpack_from(data, place)
    return HEADER.size <= head <= size and version in _VERSIONS


def _body(operation: int, body: bytes, found: Found) -> None:
    value = _json(body)
    if operation == AUTH_REPLY:
        code = value.get("code") if isinstance(value, dict) else None
        found.auth = code if isinstance(code, int) else -1
    elif operation == COMMAND and isinstance(value, dict):
        found.commands.append(value)
    else:
        found.bad += 1


def _json(body: bytes) -> object:
    try:
        return json.loads(body.decode())
    except (ValueError, RecursionError):  # no JSON, no UTF-8, a number of 5,000 digits, 10,000 brackets
        return None


def _inflated(body: bytes, version: int, found: Found) -> bytes:
    """What a body unpacks to; b"" where it cannot be, or is larger than any frame. One that breaks off is bad, yet read."""
    inflater = _zlib if version == ZLIB else _brotli
    try:
        data, whole = inflater(body)
    except ValueError:
        return b""
    if len(data) > INFLATED_BYTES:
        return b""
    found.bad += data != b"" and not whole
    return data


def _zlib(body: bytes) -> tuple[bytes, bool]:
    """At most one byte more than allowed, and whether that was all. ValueError: it is no zlib."""
    inflater = zlib.decompressobj()
    try:
        return inflater.decompress(body, INFLATED_BYTES + 1), inflater.eof
    except zlib.error as error:
        raise ValueError(str(error)) from error


def _no_brotli(body: bytes) -> tuple[bytes, bool]:
    raise ValueError("no brotli that can stop at a size is installed")


def _find_brotli() -> Callable[[bytes], tuple[bytes, bool]]:
    """The installed package's, where it takes `output_buffer_limit`: without that, 80 bytes can become 50 MB."""
    try:
        import brotli
    except ImportError:
        return _no_brotli
    try:
        brotli.Decompressor().process(b"", output_buffer_limit=1)
    except TypeError:
        return _no_brotli

    def inflate(body: bytes) -> tuple[bytes, bool]:
        inflater = brotli.Decompressor()
        data = b""
        try:
            while len(data) <= INFLATED_BYTES and not inflater.is_finished():
                more = inflater.process(body, output_buffer_limit=INFLATED_BYTES + 1 - len(data))
                body = b""
                if not more:
                    break
                data += more
        except brotli.error as error:
            raise ValueError(str(error)) from error
        return data, inflater.is_finished()

    return inflate


_brotli = _find_brotli()
