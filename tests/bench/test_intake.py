"""`cohost bench intake` says what its documentation promises; and what it would notice."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator

import pytest

from bot.bench import intake as bench
from bot.bench.shapes import SHAPES, Shape, count, frames
from bot.intake import Intake


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_frame_of_every_shape_is_read_to_the_last_message(shape: Shape) -> None:
    """Otherwise the speed would be that of passing over."""
    assert count(shape.reader(), frames(shape, 100)) == 100


def test_it_reports_what_it_documents(capsys: pytest.CaptureFixture[str]) -> None:
    """Every key stands in the module's text; the table for people holds every shape."""
    report = bench.run(True, day=2000, quick=True)
    assert json.loads(capsys.readouterr().out) == report
    assert bench.__doc__ is not None
    inside = [report["shapes"]["twitch"], report["latency"]["200"], report["memory"]]
    for key in (*report, *(key for part in inside for key in part)):
        assert f"`{key}`" in bench.__doc__, key
    assert report["latency"]["2000"]["lost"] == 0 and report["memory"]["messages"] == 2000
    lines = "\n".join(bench.table(report))
    assert all(shape.name in lines for shape in SHAPES)


@pytest.mark.parametrize("name", ["bilibili_zlib", "douyin_barrage_grab"])
async def test_a_long_day_holds_no_more_than_its_beginning(name: str) -> None:
    """Reader, supervisor and waiting room: once their memory of messages is full, 10,000 later they hold hardly more
    (that of gifts still fills up). Blocks of Python's memory are counted: one id kept a message would be 10,000.
    """
    shape = next(shape for shape in SHAPES if shape.name == name)
    held: list[int] = []

    def day() -> Iterator[bytes]:
        for number, frame in enumerate(frames(shape, 32_000)):
            if number * shape.messages in (21_500, 31_500):
                gc.collect()
                held.append(sys.getallocatedblocks())
            yield frame

    assert await bench.through(bench.Source(day(), shape.reader()), Intake()) == 32_000
    assert held[1] - held[0] < 5000
