"""A recording plays again as what was heard, and names nobody unless it is asked to."""

import json
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.recording import Tape
from adapters.replay import Replay
from bot.messages import Event, Kind, Message, MessageId, Role, Viewer, Withdrawn

word = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=8).filter(
    lambda w: w.strip() == w and "@" not in w
)
viewers = st.builds(
    Viewer,
    st.just("p"),
    st.sampled_from(["", "u1", "u2", "name:阿强"]),
    st.sampled_from(["阿强", "小雨", "观***"]),
    st.frozensets(st.sampled_from(Role)),
).filter(lambda viewer: viewer.id != "name:阿强" or viewer.name == "阿强")
messages = st.builds(
    Message,
    id=st.integers(0, 50).map(lambda number: MessageId(f"p:{number}")),
    kind=st.sampled_from(Kind),
    viewer=viewers,
    text=word,
    price=st.none() | st.floats(0.01, 1e6),
    time=st.floats(0, 1e9),
)
withdrawals = st.builds(
    Withdrawn,
    platform=st.just("p"),
    messages=st.frozensets(st.integers(0, 50).map(lambda number: MessageId(f"p:{number}")), max_size=3),
    viewers=st.frozensets(st.sampled_from(["u1", "u2"])),
    everything=st.booleans(),
).filter(lambda one: bool(one.messages or one.viewers or one.everything))


async def play(path: Path) -> list[Event]:
    return [event async for event in Replay(path, speed=0).messages()]


def meaning(events: list[Event], *, names: bool) -> list[object]:
    """What has to survive: everything but ids and times, and of those who is whom and which message is which."""
    seen: dict[str, int] = {}
    known: dict[str, int] = {}

    def number(table: dict[str, int], key: str) -> int:
        return table.setdefault(key, len(table)) if key else -1

    told: list[object] = []
    for event in events:
        if isinstance(event, Message):
            who = number(known, event.viewer.id)
            number(seen, event.id)
            told.append(
                (event.kind, event.text, event.price, who, event.viewer.name if names else "", event.viewer.roles)
            )
        else:
            told.append((
                {seen[name] for name in event.messages if name in seen},
                {known[name] for name in event.viewers if name in known},
                event.everything,
            ))  # fmt: skip
    return told


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(messages, min_size=1, max_size=20, unique_by=lambda m: m.id),
    st.lists(withdrawals, max_size=4),
    st.booleans(),
)
async def test_a_recording_replays_to_what_was_heard(
    tmp_path: Path, heard: list[Message], taken: list[Withdrawn], names: bool
):
    """Kinds, words, prices, roles, who is whom, what was taken back; and with `names` the names and ids themselves."""
    events: list[Event] = [*heard, *taken, heard[0]]
    tape, path = Tape(1000.0, names=names), tmp_path / "tape.jsonl"
    path.write_text("".join(tape.line(event, 1000.0 + n) for n, event in enumerate(events)), encoding="utf-8")
    again = await play(path)
    assert meaning(again, names=names)[:-1] == meaning(events, names=names)[:-1]
    if names:
        assert [e.viewer.id for e in again if isinstance(e, Message)] == [
            e.viewer.id for e in events if isinstance(e, Message)
        ]


def test_a_recording_names_nobody():
    """Not by name, not by id, not in a text that speaks to somebody; and not the same in the next recording."""
    message = Message(MessageId("p:m77"), Kind.DANMAKU, Viewer("p", "uid42", "阿强"), "@小雨 你好", time=5.0)
    lines = [Tape(0.0).line(event, 1.0) for event in (message, Withdrawn("p", frozenset({MessageId("p:m77")})))]
    assert not any(secret in line for line in lines for secret in ("阿强", "uid42", "小雨", "m77"))
    one, other = (Tape(0.0) for _ in range(2))
    assert one.line(message, 1.0) == one.line(message, 1.0) != other.line(message, 1.0)


def test_masked_viewers_stay_nobody_in_particular():
    message = Message(MessageId("p:1"), Kind.LIKE, Viewer("p", "", "观***"))
    assert json.loads(Tape(0.0).line(message, 0.0))["user"] == {"name": "观众***", "anonymous": True}


def test_a_clock_that_steps_back_makes_no_line_earlier():
    """The replay would refuse the file."""
    message = Message(MessageId("p:1"), Kind.LIKE, Viewer("p", "u", "阿强"))
    tape = Tape(100.0)
    assert [json.loads(tape.line(message, now))["at"] for now in (101.0, 90.0, 103.5)] == [1.0, 1.0, 3.5]
