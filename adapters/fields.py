"""Reads fields of what platforms send. A field that is missing or of an odd type is absent, never an error. No I/O."""

from __future__ import annotations

import math

TEXT_LENGTH = 4000
NAME_LENGTH = 200

MILLISECONDS = 1e11  # a time above this (the year 5138, in seconds) is one in milliseconds


def at(value: object, *path: str | int) -> object:
    """What stands at `path` in nested objects and lists; None where that leads nowhere."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and -len(value) <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def nth(value: object, place: int) -> object:
    """What stands at a place of a list; None where there is none. For paths that are walked for every message."""
    return value[place] if type(value) is list and place < len(value) else None


def text(value: object, limit: int = TEXT_LENGTH) -> str:
    """A string, or a whole number as one (ids come in both ways), cut to `limit`; "" for anything else."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**20:
        return str(value)
    return unbroken(value[:limit]) if isinstance(value, str) else ""


def number(value: object) -> float | None:
    """A finite number, or the one that a string spells."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value[:40] if isinstance(value, str) else value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def whole(value: object) -> int:
    """A whole number, or the one that a string spells; 0 for anything else, and for what no counter reaches."""
    found = value if type(value) is int else number(value) or 0.0
    return int(found) if abs(found) < 1e18 else 0


def seconds(value: object, now: float) -> float:
    """A time in seconds or milliseconds since 1970, as seconds; `now` where there is none or it lies ahead.

    A platform's clock ahead of ours must not make a message live longer than the others.
    """
    found = number(value) or 0.0
    if found <= 0:
        return now
    return min(now, found / 1000 if found > MILLISECONDS else found)


def unbroken(words: str) -> str:
    """JSON can spell half a surrogate pair, which no file, database or socket takes: it becomes U+FFFD."""
    try:
        words.encode()  # far cheaper than mending, and hardly ever refused
    except UnicodeEncodeError:
        return words.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return words
