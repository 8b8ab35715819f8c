"""The held lane and the list of the muted, by themselves."""

from __future__ import annotations

import pytest

from bot.held import Held, HeldLane, Mutes
from bot.messages import Kind, Message, MessageId, Viewer, Withdrawn


def held(name: str, price: float | None = None) -> Held:
    message = Message(MessageId(name), Kind.DANMAKU, Viewer("test", f"v{name}", name), "……", price)
    return Held(message, (), "", 0.0)


def names(lane: HeldLane) -> list[str]:
    return [row.message.id for row in lane]


def test_the_lane_is_bounded_and_what_was_paid_for_stays() -> None:
    """The oldest that nobody paid for gives way; among paid ones the oldest."""
    lane = HeldLane(limit=2)
    for name, price in (("a", 30.0), ("b", None), ("c", None)):
        lane.put(held(name, price))
    assert names(lane) == ["a", "c"]
    lane.put(held("d", 5.0))
    lane.put(held("e", 5.0))
    assert names(lane) == ["d", "e"]


def test_a_message_is_taken_once() -> None:
    lane = HeldLane()
    lane.put(held("a"))
    assert lane.take("a") == held("a")
    assert lane.take("a") is None and len(lane) == 0


def test_what_the_platform_deletes_is_not_held() -> None:
    """Only that."""
    lane = HeldLane()
    for name in "ab":
        lane.put(held(name))
    lane.withdraw(Withdrawn("test", viewers=frozenset({"va"})))
    assert names(lane) == ["b"]


def test_a_mute_is_of_one_viewer_on_one_platform_for_a_time() -> None:
    """Whatever the viewer calls themselves."""
    mutes = Mutes()
    mutes.put(Viewer("test", "7", "阿强"), until=10.0)
    assert mutes.covers(Viewer("test", "7", "换了名字"), 9.9)
    assert not mutes.covers(Viewer("test", "7", "阿强"), 10.0)
    assert not mutes.covers(Viewer("other", "7", "阿强"), 0.0)
    assert not mutes.covers(Viewer("test", "", "阿强"), 0.0)
    assert [mute.viewer.id for mute in mutes.now(9.9)] == ["7"] and mutes.now(10.0) == []
    assert not mutes.lift("test", "7")


def test_nobody_in_particular_is_not_muted() -> None:
    with pytest.raises(ValueError, match="nobody"):
        Mutes().put(Viewer("test", "", "***"), 10.0)


def test_mutes_are_written_down_and_read_again() -> None:
    """With names of any kind."""
    mutes, again = Mutes(), Mutes()
    mutes.put(Viewer("test", "7", '阿"强\n'), until=10.5)
    again.load(mutes.dump())
    assert again.now(0.0) == mutes.now(0.0)
