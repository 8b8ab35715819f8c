"""Reads a protobuf message into its fields by number, without a schema. Knows no message of Bilibili's.

The wire format: https://protobuf.dev/programming-guides/encoding/
"""

from __future__ import annotations

from typing import TypeVar

Fields = dict[int, list[int | bytes]]
Value = TypeVar("Value", int, bytes)


def fields(data: bytes) -> Fields:
    """Every value of every field, in order. Raises ValueError for anything that is no message."""
    found: Fields = {}
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        value: int | bytes
        match key & 7:
            case 0:
                value, place = _varint(data, place)
            case 1:
                value, place = _bytes(data, place, 8)
            case 2:
                size, place = _varint(data, place)
                value, place = _bytes(data, place, size)
            case 5:
                value, place = _bytes(data, place, 4)
            case kind:
                raise ValueError(f"wire type {kind} at byte {place}")
        found.setdefault(key >> 3, []).append(value)
    return found


def inner(message: Fields, number: int) -> Fields:
    """The message in a field; an empty one where it is missing or none."""
    try:
        return fields(last(message, number, b""))
    except ValueError:
        return {}


def whole(message: Fields, number: int) -> int:
    """A number that is not negative; 0 where it is missing."""
    return last(message, number, 0)


def text(message: Fields, number: int) -> str:
    return last(message, number, b"").decode("utf-8", "replace")


def last(message: Fields, number: int, missing: Value) -> Value:
    """The last value of a field counts; one of another type than `missing` counts as missing."""
    value = (message.get(number) or [missing])[-1]
    return value if isinstance(value, type(missing)) else missing


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data) and shift < 70:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (1 << 64) - 1, place
        shift += 7
    raise ValueError(f"a number without an end at byte {place}")


def _bytes(data: bytes, place: int, size: int) -> tuple[bytes, int]:
    if place + size > len(data):
        raise ValueError(f"{size} bytes at byte {place} of {len(data)}")
    return data[place : place + size], place + size
