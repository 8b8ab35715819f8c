"""Frames that nobody would send, into every reader: `python tools/fuzz_frames.py --frames 200000`.

A reader may refuse a frame; an exception that leaves it is a fault. A frame is a good one with bytes changed, cut,
doubled or put in; or one whose JSON has had values put in place of others; or bytes at random. The good ones are those
of `cohost bench intake` and the fixtures of the tests. With the same seed the same frames. Exit code 1 after a fault.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

from adapters.bilibili import packets
from bot.bench.shapes import SHAPES, Read, Shape, bilibili_reader, open_command, packed

DATA = Path(__file__).parents[1] / "tests" / "data"

ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        -1,
        1e308,
        -1e-308,
        10**30,
        2**63,
        "",
        "0",
        "null",
        "\ud800",
        "\x00",
        "¥30",
        "９",
        "[]",
        "{}",
    ),
    *("x" * 5000, "<b>", "<![", "&#x110000;", "***", "1e999", "-0", [], {}, [[[[]]]], [None] * 50, {"": {}}),
)
BYTES = (
    b"",
    b"\x00",
    b"\xff",
    b"{",
    b"}",
    b"[" * 300,
    b'"',
    b"\\",
    b"\r\n",
    b"@=;",
    b" :",
    b"\x00\x00\x00\x10\x00\x10",
)


def corpus() -> list[Shape]:
    """Every shape of the bench, and after it the same reader with the fixtures of its tests."""
    shapes = [*SHAPES, Shape("open_live_json", packed(open_command), bilibili_reader)]
    for shape in SHAPES:
        if (file := DATA / "bridges" / f"{shape.name}.json").exists():
            rows = [json.dumps(row["frame"]).encode() for row in json.loads(file.read_text(encoding="utf-8"))]
            shapes.append(replace(shape, name=f"{shape.name}, fixtures", frame=_one_of(rows)))
    commands = [
        json.dumps(one, default=str).encode()
        for file in sorted((DATA / "bilibili").glob("*.json"))
        for case in json.loads(file.read_text(encoding="utf-8"))
        for one in case["commands"]
    ]
    rows = [packets.packet(packets.COMMAND, one, packets.JSON) for one in commands]
    return [*shapes, Shape("bilibili, fixtures", _one_of(rows), bilibili_reader)]


def _one_of(rows: list[bytes]) -> Callable[[int], bytes]:
    return lambda number: rows[number % len(rows)]


def fuzz(wanted: int, seed: int = 1) -> dict[str, Any]:
    """So many frames, shared out evenly. `escaped`: by reader and type of exception, with one frame of each."""
    shapes = corpus()
    start, escaped, examples = time.perf_counter(), Counter[str](), dict[str, str]()
    each = -(-wanted // len(shapes))
    for shape in shapes:
        read = shape.reader()
        for frame in odd_frames(shape, each, random.Random(f"{seed} {shape.name}")):
            if (what := escapes(read, frame)) is not None:
                escaped[f"{shape.name}: {what}"] += 1
                examples.setdefault(f"{shape.name}: {what}", repr(frame[:200]))
    seconds = round(time.perf_counter() - start, 1)
    return {"frames": each * len(shapes), "seconds": seconds, "escaped": dict(escaped), "examples": examples}


def escapes(read: Read, frame: bytes) -> str | None:
    """The type of what the reader raises; None: nothing, as it should be."""
    try:
        read(frame)
    except Exception as error:
        return type(error).__name__
    return None


def odd_frames(shape: Shape, number: int, chance: random.Random) -> Iterator[bytes]:
    ways: tuple[Callable[[bytes, random.Random], bytes], ...] = (_bent, _bent, _swapped, _swapped, _noise)
    for _ in range(number):
        yield chance.choice(ways)(shape.frame(chance.randrange(1000)), chance)


def _bent(frame: bytes, chance: random.Random) -> bytes:
    """A few bytes are others, or missing, or there twice."""
    data = bytearray(frame)
    for _ in range(chance.randrange(1, 6)):
        place = chance.randrange(len(data) + 1)
        to = min(len(data), place + chance.randrange(1, 30))
        match chance.randrange(4):
            case 0:
                data[place:to] = chance.choice(BYTES)
            case 1:
                data[place:to] = chance.randbytes(to - place)
            case 2:
                del data[place:to]
            case _:
                data[place:place] = data[place:to]
    return bytes(data)


def _swapped(frame: bytes, chance: random.Random) -> bytes:
    """Values of its JSON are odd ones: what a platform that changes its mind would send."""
    start = min((place for place in (frame.find(b"{"), frame.find(b"[")) if place >= 0), default=-1)
    try:
        value = json.loads(frame[start:]) if start >= 0 else None
    except ValueError:
        return _bent(frame, chance)
    for _ in range(chance.randrange(1, 6)):
        value = _with_odd(value, chance)
    body = json.dumps(value, ensure_ascii=chance.random() < 0.5).encode(errors="surrogatepass")
    return frame[:start].replace(len(frame).to_bytes(4, "big"), (start + len(body)).to_bytes(4, "big")) + body


def _with_odd(value: Any, chance: random.Random) -> Any:
    """One place in it holds something else; in a string that holds JSON, inside."""
    if not isinstance(value, dict | list) or not value or chance.random() < 0.15:
        if isinstance(value, str) and value[:1] in ("{", "[") and chance.random() < 0.7:
            try:
                return json.dumps(_with_odd(json.loads(value), chance))
            except ValueError:
                pass
        return deepcopy(chance.choice(ODD))
    key = chance.choice(list(value)) if isinstance(value, dict) else chance.randrange(len(value))
    if chance.random() < 0.1:
        del value[key]
    else:
        value[key] = _with_odd(value[key], chance)
    return value


def _noise(frame: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(chance.randrange(200))


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz every reader of frames.")
    parser.add_argument("--frames", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    report = fuzz(options.frames, options.seed)
    print(json.dumps(report, ensure_ascii=False, indent=1))
    return 1 if report["escaped"] else 0


if __name__ == "__main__":
    sys.exit(main())
