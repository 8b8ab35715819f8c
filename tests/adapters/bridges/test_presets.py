"""Each bridge that is known by name: invented frames in its format, each with what must come of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.bridges.mapping import Passed, problems
from adapters.bridges.presets import PRESETS
from adapters.bridges.reading import Answer, reading
from adapters.wire import FrameError
from bot.messages import Message

FIXTURES = Path(__file__).parents[2] / "data" / "bridges"
NOW = 1_800_000_000.0


def shown(outcome: object) -> dict[str, Any]:
    """An outcome as the fixtures write it."""
    if isinstance(outcome, Message):
        return {
            "kind": outcome.kind,
            "id": outcome.id,
            "viewer": outcome.viewer.id,
            "name": outcome.viewer.name,
            "text": outcome.text,
            "price": outcome.price,
            "roles": sorted(outcome.viewer.roles),
            "time": outcome.time,
        }
    if isinstance(outcome, Answer):
        return {"answer": json.loads(outcome.text)}
    if isinstance(outcome, Passed):
        return {"reason": outcome.reason}
    if isinstance(outcome, FrameError):
        return {"mistake": outcome.field}
    return {"withdraw": {"ids": sorted(outcome.messages), "users": sorted(outcome.viewers)}}


def expected(row: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """What the fixture leaves open: an id that is made up, the time of arrival."""
    filled = {"time": NOW, **row} if "kind" in row else row
    return {**filled, "id": found.get("id")} if row.get("id") == "*" else filled


@pytest.mark.parametrize("name", PRESETS)
def test_every_frame_becomes_what_it_means(name: str):
    """In order, by one reader: running totals are counted over several frames."""
    reader, platform = reading(name), PRESETS[name].platform
    rows = json.loads((FIXTURES / f"{name}.json").read_text(encoding="utf-8"))
    assert len(rows) >= 9
    for row in rows:
        found = [shown(one) for one in reader.read(json.dumps(row["frame"]).encode(), platform, NOW)]
        assert len(found) == len(row["becomes"]), (row["what"], found)
        assert found == [expected(*pair) for pair in zip(row["becomes"], found, strict=True)], row["what"]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_written_as_a_user_would(name: str):
    """The same form, the same checks."""
    assert list(problems(PRESETS[name].mapping)) == []


def test_only_two_bridges_are_ever_answered():
    """And the one that obeys commands is not even pinged."""
    assert {name for name, preset in PRESETS.items() if preset.answer} == {"laplace", "blivechat"}
    assert not reading("douyin_barrage_grab").pings and not reading("douyin_barrage_grab").tells


@pytest.mark.parametrize("name", sorted(PRESETS))
@pytest.mark.parametrize("data", ["", "pong", "null", "7", '"ping"', "[[[]]]", b"\xff\xfe", "[null]", '{"Data": "[]"}'])
def test_nonsense_is_a_mistake_or_nothing(name: str, data: str | bytes):
    """No exception, no answer, no message."""
    found = list(reading(name).read(data, "x", NOW))
    assert all(isinstance(one, Passed | FrameError) for one in found)
