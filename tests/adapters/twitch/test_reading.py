"""Lines to messages: the project's own lines, and whatever else may come."""

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.twitch.irc import Line, lines, parse
from adapters.twitch.reading import FOREIGN_NAMES, Reader, Reason
from bot.messages import Message, Withdrawn
from tests.adapters.events import cases, event, starred

NOW = 1_800_000_000.0
CASES = cases("twitch/lines.json")


def told(reader: Reader, line: str) -> object:
    parsed = parse(line)
    found = reader.read(parsed, NOW) if parsed else None
    return starred(found, "twitch") if isinstance(found, Message) else found


def expected(entry: dict[str, Any] | None) -> object:
    if entry is None:
        return None
    return Reason(entry["reason"]) if "reason" in entry else event("twitch", entry)


def test_every_line_becomes_what_is_written_beside_it():
    """In order, for gifts to many and deletions go back to what came before."""
    reader = Reader()
    for case in CASES:
        assert told(reader, case["line"]) == expected(case["gives"]), case["what"]


def test_every_reason_has_a_line():
    """But for the room that only a setting leaves out, which has its own test as well."""
    assert {case["gives"]["reason"] for case in CASES if case["gives"] and "reason" in case["gives"]} == set(Reason)


def test_another_room_can_be_left_out():
    """Its messages and deeds; those of our own room in the same shared chat stay."""
    reader = Reader("drop")
    by_name = {case["what"]: told(reader, case["line"]) for case in CASES}
    assert by_name["from another room of a shared chat"] is Reason.OTHER_ROOM
    assert isinstance(by_name["from our own room, in a shared chat"], Message)


def test_foreign_ids_are_bounded():
    """A day of shared chat leaves only the last thousand."""
    reader = Reader()
    for number in range(2 * FOREIGN_NAMES):
        tags = {"id": f"here-{number}", "source-id": f"there-{number}", "source-room-id": "2", "room-id": "1"}
        reader.read(Line("PRIVMSG", ("#a", "hi"), tags=tags), NOW)
    assert len(reader._foreign) == FOREIGN_NAMES
    taken = reader.read(Line("CLEARMSG", ("#a", "hi"), tags={"target-msg-id": f"here-{2 * FOREIGN_NAMES - 1}"}), NOW)
    assert taken == event("twitch", {"messages": [f"twitch:there-{2 * FOREIGN_NAMES - 1}"]})


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        ("PING", Line("PING")),
        ("PING :tmi.twitch.tv", Line("PING", ("tmi.twitch.tv",))),
        (":a!b@c PRIVMSG #x :two  words :)", Line("PRIVMSG", ("#x", "two  words :)"), "a!b@c")),
        (":server 001 me", Line("001", ("me",), "server")),
        ("@a=1;b;c= :s X  y   :", Line("X", ("y", ""), "s", {"a": "1", "b": "", "c": ""})),
        (r"@k=a\sb\:c\\d\re\nf\gh\ X", Line("X", (), "", {"k": "a b;c\\d\re\nfgh"})),
        ("@name=全\u3000角 X", Line("X", (), "", {"name": "全\u3000角"})),
        ("", None),
        ("@tags", None),
        (":source", None),
        ("@t :s 12", None),
        ("PØNG", None),
    ],
)
def test_a_line_falls_into_its_parts(raw: str, line: Line | None):
    """Escapes as the specification has them: a lone backslash at the end goes, an unknown escape is its character."""
    assert parse(raw) == line


def test_a_frame_may_hold_several_lines():
    """Only line feeds part them: what Unicode calls a line's end may stand in a message."""
    assert lines("A\r\nB x\u2028y\r\n\r\nC") == ["A", "B x\u2028y", "C"]
    assert lines(b"A \xff\r\n") == ["A \ufffd"]


def sound(found: object) -> None:
    """What the rest of the program relies on."""
    assert isinstance(found, Message | Withdrawn | Reason)
    if isinstance(found, Message):
        assert found.id.startswith("twitch:") and len(found.id) > 7
        assert found.price is None or 0 < found.price < 1e15
        assert 0 < found.time <= NOW
        assert found.viewer.name
        json.dumps([found.id, found.text, found.viewer.id, found.viewer.name], ensure_ascii=False).encode()


WORDS = st.one_of(st.text(max_size=30), st.sampled_from(["", "1", "7001", "raid"]))
FIGURES = st.one_of(WORDS, st.sampled_from(["-1", "0", "1e308", "9" * 17, "nan", "2.5", "1799999990123"]))
DEEDS = st.sampled_from(["sub", "resub", "subgift", "submysterygift", "raid", "announcement", "charitydonation"])
TAGS = st.fixed_dictionaries(
    {"msg-id": st.one_of(DEEDS, WORDS)},
    optional={
        **dict.fromkeys(["id", "user-id", "display-name", "badges", "source-id", "source-room-id", "room-id"], WORDS),
        **dict.fromkeys(["target-msg-id", "target-user-id", "msg-param-origin-id", "msg-param-sub-plan"], WORDS),
        **dict.fromkeys(["bits", "tmi-sent-ts", "msg-param-mass-gift-count", "msg-param-gift-months"], FIGURES),
        **dict.fromkeys(["msg-param-viewerCount", "msg-param-donation-amount", "msg-param-exponent"], FIGURES),
        "msg-param-donation-currency": st.sampled_from(["USD", "usd", "???", ""]),
    },
)
COMMANDS = st.sampled_from(["PRIVMSG", "USERNOTICE", "CLEARMSG", "CLEARCHAT", "NOTICE", "PING", "001", "X"])
LINES = st.builds(Line, COMMANDS, st.lists(WORDS, max_size=3).map(tuple), source=WORDS, tags=TAGS)


@settings(max_examples=500, deadline=None)
@given(st.lists(LINES))
def test_whatever_the_tags_say_nothing_is_raised(heard: list[Line]):
    """Odd values cost at most their own line."""
    reader = Reader()
    for line in heard:
        sound(reader.read(line, NOW))


@settings(max_examples=500, deadline=None)
@given(st.one_of(st.text(), st.binary()))
def test_whatever_comes_is_lines_or_nothing(frame: str | bytes):
    for raw in lines(frame):
        if line := parse(raw):
            sound(Reader().read(line, NOW))


@settings(max_examples=300, deadline=None)
@given(st.sampled_from([case["line"] for case in CASES]), st.randoms(use_true_random=False))
def test_a_broken_line_breaks_nothing(raw: str, chance: random.Random):
    """Pieces cut out, doubled, and put elsewhere."""
    for _ in range(3):
        a, b = sorted((chance.randrange(len(raw) + 1), chance.randrange(len(raw) + 1)))
        raw = chance.choice([raw[:a] + raw[b:], raw[:b] + raw[a:], raw[b:] + raw[:a] or " "])
    for part in lines(raw):
        if line := parse(part):
            sound(Reader().read(line, NOW))
