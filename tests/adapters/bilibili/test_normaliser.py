"""Commands to messages: the project's shapes, and whatever else may come."""

import json
import random
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.bilibili import normaliser as module
from adapters.bilibili import protobuf
from adapters.bilibili.commands import READERS
from adapters.bilibili.normaliser import LONGEST, MOST_WAITING, QUIET, Normaliser
from adapters.bilibili.reading import Reading, Reason
from adapters.fields import TEXT_LENGTH, unbroken
from bot.messages import Event, Message, Withdrawn
from tests.adapters.bilibili import shapes
from tests.adapters.bilibili.shapes import LATER, NOW, commands, expected, play, starred

CASES = list(shapes.cases())
IN_ORDER = [(name, case) for name, case in CASES if not case.get("any_order")]
ANY_ORDER = [(name, case) for name, case in CASES if case.get("any_order")]


@pytest.mark.parametrize(("name", "case"), IN_ORDER, ids=[name for name, _ in IN_ORDER])
def test_a_shape_becomes_what_is_written_beside_it(name: str, case: dict[str, Any]) -> None:
    """Every shape yields its message or its reason, field by field."""
    readings, later = play(case["commands"], case.get("owner", ""))
    wanted = [expected(entry) for entry in case["gives"]]
    assert len(readings) == len(wanted)
    for found, want in zip(readings, wanted, strict=True):
        assert alike(found, want) == want
    wanted_later = [shapes.event(entry) for entry in case.get("later", ())]
    assert [starred(a, b) for a, b in zip(later, wanted_later, strict=True)] == wanted_later


@pytest.mark.parametrize(("name", "case"), ANY_ORDER, ids=[name for name, _ in ANY_ORDER])
def test_what_is_told_several_times_is_one_in_every_order(name: str, case: dict[str, Any]) -> None:
    """A guard purchase told by three commands, in any order, is one message under one id (the core drops equal ids)."""
    wanted = [shapes.event(entry) for entry in case["all"]]
    for order in permutations(case["commands"]):
        readings, later = play(list(order))
        told = [event for reading in readings for event in reading.events] + later
        assert {event.id: event for event in told if isinstance(event, Message)} == {
            event.id: event for event in wanted if isinstance(event, Message)
        }, order


def alike(found: Reading, want: Reading) -> Reading:
    """`found` with the ids of our own making starred, as `want` has them."""
    if len(found.events) != len(want.events):
        return found
    return Reading(tuple(map(starred, found.events, want.events)), found.reason, found.told, found.detail)


def test_every_command_that_is_read_has_a_shape() -> None:
    """No reader is without a fixture."""
    names = {c["cmd"].partition(":")[0] for c in commands() if isinstance(c, dict) and isinstance(c.get("cmd"), str)}
    official = {"DM", "DM_MIRROR", "SEND_GIFT", "SUPER_CHAT", "SUPER_CHAT_DEL", "GUARD", "LIKE", "LIVE_ROOM_ENTER"}
    official |= {"LIVE_START", "LIVE_END", "INTERACTION_END"}
    assert set(READERS) | {f"LIVE_OPEN_PLATFORM_{name}" for name in official} <= names


def test_one_without_a_number_has_the_same_id_each_time() -> None:
    """A line that comes again is known again; one of a moment later, or by somebody else, is another."""
    line = next(c for c in commands() if c["info"][1] == "晚上好")
    again = json.loads(json.dumps(line))
    later = json.loads(json.dumps(line))
    later["info"][0][4] += 1
    other = json.loads(json.dumps(line))
    other["info"][2][0] += 1
    ids = [play([command])[0][0].events[0].id for command in (line, again, later, other)]  # type: ignore[union-attr]
    assert ids[0] == ids[1] and len(set(ids)) == 3


def test_half_a_character_is_mended() -> None:
    """JSON can spell half a surrogate pair; what comes out can be stored."""
    line = json.loads(r'{"cmd":"DANMU_MSG","info":[[],"坏\ud83d字",[1,"半\udc00"]]}')
    (event,) = play([line])[0][0].events
    assert isinstance(event, Message) and (event.text, event.viewer.name) == ("坏\ufffd字", "半\ufffd")
    assert unbroken("好\U0001f600") == "好\U0001f600"


# -- merging in time -----------------------------------------------------------------------------------------------


def click(tid: int, row: str = "r", at: float = 0.0) -> dict[str, Any]:
    return {
        "cmd": "SEND_GIFT",
        "data": {"tid": str(tid), "uid": 1, "uname": "甲", "giftName": "花", "num": 1, "total_coin": 1000}
        | {"coin_type": "gold", "batch_combo_id": row, "timestamp": NOW + at},
    }


def test_a_row_is_told_when_it_is_over_or_has_lasted_long_enough() -> None:
    """Nothing before three quiet seconds; ten seconds at the most."""
    normaliser = Normaliser()
    normaliser.read(click(1), NOW)
    assert normaliser.next_due == NOW + QUIET
    assert normaliser.due(NOW + QUIET - 0.01) == []
    normaliser.read(click(2), NOW + 2)
    assert normaliser.next_due == NOW + 2 + QUIET
    for second in range(3, 12):
        normaliser.read(click(second, at=second), NOW + second)
        told = normaliser.due(NOW + second)
        if told:
            break
    assert second == LONGEST and isinstance(told[0], Message) and told[0].text == "花 x10"
    assert normaliser.next_due is None


def test_the_end_of_a_connection_tells_what_waits() -> None:
    """Nothing that was paid is lost because a connection ends."""
    normaliser = Normaliser()
    normaliser.read(click(1, "a"), NOW)
    normaliser.read(click(2, "b"), NOW)
    assert [m.text for m in normaliser.rest() if isinstance(m, Message)] == ["花 x1", "花 x1"]
    assert normaliser.rest() == [] and normaliser.due(LATER) == []


def test_what_waits_and_what_is_remembered_is_bounded() -> None:
    """A flood of rows is told early rather than kept, in the order in which they began."""
    normaliser = Normaliser()
    told: list[Event] = []
    for number in range(5 * MOST_WAITING):
        told += normaliser.read(click(number, f"row {number}"), NOW + number * 1e-4).events
        normaliser.read(
            {"cmd": "USER_TOAST_MSG", "data": {"uid": number, "guard_level": 3, "payflow_id": number}},
            NOW + number * 1e-1,
        )
    assert [e.id for e in told if isinstance(e, Message)] == [
        f"bilibili:gift:{number}" for number in range(4 * MOST_WAITING)
    ]
    assert len(normaliser._rows) == MOST_WAITING
    assert len(normaliser._purchases) <= MOST_WAITING
    assert len(normaliser._gifts) <= 20_000


def test_a_burst_of_purchases_is_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """All within a second: only so many are remembered, the newest."""
    monkeypatch.setattr(module, "MOST_WAITING", 10)
    normaliser = Normaliser()
    for number in range(50):
        normaliser.read({"cmd": "USER_TOAST_MSG", "data": {"uid": number, "guard_level": 3, "num": 1}}, NOW)
    assert len(normaliser._purchases) == 10
    again = {"cmd": "GUARD_BUY", "data": {"uid": 49, "guard_level": 3, "gift_name": "舰长"}}
    assert normaliser.read(again, NOW).reason is Reason.SAID_TWICE


# -- whatever may come ---------------------------------------------------------------------------------------------

ODD = (None, True, False, 0, -1, 3.5, 10**30, -(10**400), float("inf"), "", "x", "\ud800", "0" * 5000, [], {}, [[]])


def deep(levels: int) -> Any:
    value: Any = "tief"
    for _ in range(levels):
        value = [value]
    return value


def mutated(value: Any, random: random.Random) -> Any:
    """A copy in which some fields are missing or of another type, huge or deep."""
    roll = random.random()
    if roll < 0.04:
        return random.choice((*ODD, "字" * 100_000, deep(200), {"pb": 1}, {"uid": {}}))
    if isinstance(value, dict):
        kept = {key: mutated(one, random) for key, one in value.items() if random.random() > 0.04}
        return kept if random.random() > 0.02 else list(kept.values())
    if isinstance(value, list):
        kept_list = [mutated(one, random) for one in value if random.random() > 0.03]
        random.shuffle(kept_list) if random.random() < 0.03 else None
        return kept_list
    if isinstance(value, str) and len(value) > 8 and random.random() < 0.2:
        place = random.randrange(len(value))
        return value[:place] + random.choice(("", "A", "\\", '"', "}", "\x00", "=")) + value[place + 1 :]
    return value


@settings(max_examples=300)
@given(st.integers(0, 2**32), st.integers(1, 8))
def test_no_mutation_of_a_command_raises_or_breaks_what_comes_out(seed: int, length: int) -> None:
    """Types swapped, fields removed, huge, deep: every reading is sound, and what is told can be stored."""
    source = random.Random(seed)
    normaliser = Normaliser(source.choice(("", "9000", "anchor-1")))
    original = commands()
    now = NOW
    for _ in range(length):
        now += source.random()
        command = mutated(source.choice(original), source)
        reading = normaliser.read(command, now)
        assert reading.events or reading.reason is not None or reading.told is not None
        for event in (*reading.events, *normaliser.due(now)):
            check(event, now)
    for event in normaliser.rest():
        check(event, now)


def check(event: Event, now: float) -> None:
    if isinstance(event, Withdrawn):
        assert event.messages or event.viewers
        return
    event.text.encode()
    f"{event.id}{event.viewer.id}{event.viewer.name}".encode()
    assert event.id.startswith("bilibili:") and len(event.id) <= TEXT_LENGTH + 40
    assert event.viewer.platform == "bilibili" and event.viewer.name
    assert event.viewer.id != "0" and len(event.text) <= TEXT_LENGTH
    assert 0 <= event.time <= now
    assert event.price is None or 0 < event.price < float("inf")


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=5))
def test_a_command_of_any_content_has_a_reason(value: Any) -> None:
    """Whatever stands where the fields should be."""
    for name in READERS:
        for command in ({"cmd": name, "data": value}, {"cmd": name, "info": value}, {"cmd": value}, value):
            reading = Normaliser().read(command, NOW)
            assert reading.events or reading.reason or reading.told


@given(st.binary(max_size=200))
def test_bytes_are_a_message_or_a_value_error(data: bytes) -> None:
    """The protobuf reader raises nothing else."""
    try:
        found = protobuf.fields(data)
    except ValueError:
        return
    assert all(number >= 0 for number in found)


def test_a_message_that_another_program_wrote_is_read() -> None:
    """Bytes from the format's own documentation: 150 in field 1, `testing` in field 2, a message with 150 in 3."""
    data = bytes.fromhex("089601" + "120774657374696e67" + "1a03089601" + "0d00000000")
    found = protobuf.fields(data)
    assert (protobuf.text(found, 2), protobuf.whole(protobuf.inner(found, 3), 1)) == ("testing", 150)
    assert found[1] == [150, b"\x00\x00\x00\x00"]
