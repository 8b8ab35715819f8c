"""Outlets: what the overlay says, what a late page is told, how quickly it forgets; what peers hear, and when."""

from __future__ import annotations

import json

import pytest

from bot.approval import ApprovalQueue, Approved, Draft, Item, ItemId, Operator, Quote
from bot.feed import Feed
from bot.messages import Kind, Message, MessageId, Viewer
from bot.outlets import Overlay, Peers, reading_seconds


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def approved(quote: Quote | None = None) -> Approved:
    queue = ApprovalQueue(lambda item, decision: None)
    queue.open(Item(ItemId("a"), 0.0, "小芽", drafts=(Draft("你好", True),), quote=quote))
    queue.approve("a", 1, "你好", Operator("Anna"), 1.0)
    return queue.air("a", 2.0, 8.0)


async def test_it_shows_the_words_the_question_and_the_label() -> None:
    feed, clock = Feed(), Clock()
    overlay = Overlay(feed, "AI 生成", clock)
    with feed.subscribe() as reader:
        await overlay.show(approved(Quote("阿强", "在吗")))
        event = await anext(reader)
    assert event["event"] == "show"
    assert event["reply"] == {
        "id": "a", "text": "你好", "character": "小芽", "question": "在吗", "viewer": "阿强", "label": "AI 生成",
        "avatar": None,
    }  # fmt: skip
    assert (event["duration"], event["remaining"]) == (8.0, 8.0)


async def test_a_character_with_a_picture_says_where_it_is() -> None:
    """As an address: the overlay's page adds its own token."""
    overlay = Overlay(Feed(), "AI 生成", Clock(), avatars={"小芽"})
    await overlay.show(approved())
    assert overlay.now_showing()["reply"]["avatar"] == "/avatar/%E5%B0%8F%E8%8A%BD"


async def test_a_late_page_gets_what_is_on_with_the_time_it_has_left() -> None:
    feed, clock = Feed(), Clock()
    overlay = Overlay(feed, "AI 生成", clock)
    assert overlay.now_showing() == {"event": "clear"}
    await overlay.show(approved())
    clock.now += 5.0
    assert overlay.now_showing()["remaining"] == 3.0
    assert overlay.now_showing()["reply"]["question"] is None


async def test_hide_and_clear_leave_nothing_for_a_late_page() -> None:
    feed, clock = Feed(), Clock()
    overlay = Overlay(feed, "AI 生成", clock)
    await overlay.show(approved())
    with feed.subscribe() as reader:
        overlay.hide("another")
        overlay.hide("a")
        assert await anext(reader) == {"event": "hide", "id": "a"}
    await overlay.show(approved())
    overlay.clear()
    assert overlay.now_showing() == {"event": "clear"}


def test_a_text_stays_in_proportion_to_its_length() -> None:
    seconds = [reading_seconds("字" * n, least=6.0, per_character=0.25, most=30.0) for n in (1, 40, 400)]
    assert seconds == [6.0, 10.0, 30.0]


class Wire:
    """What the programs on the websocket were told."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.told: list[dict[str, object]] = []
        self.peers = Peers(lambda text: self.told.append(json.loads(text)), "websocket", self.clock)


def answer(message_id: str, item_id: str = "a") -> Approved:
    message = Message(MessageId(message_id), Kind.DANMAKU, Viewer("websocket", "u", "阿强"), "在吗")
    queue = ApprovalQueue(lambda item, decision: None)
    queue.open(Item(ItemId(item_id), 0.0, "小芽", drafts=(Draft("你好", True),), message=message))
    queue.approve(item_id, 1, "你好", Operator("Anna"), 1.0)
    return queue.air(item_id, 2.0, 8.0)


@pytest.mark.parametrize(("asked", "to"), [("websocket:7", "7"), ("bilibili:dm:7", "bilibili:dm:7")])
async def test_peers_hear_what_was_aired_by_the_id_of_the_question(asked: str, to: str) -> None:
    """The id as the peer sent it; a message of another platform keeps its own."""
    wire = Wire()
    await wire.peers.show(answer(asked))
    assert wire.told == [{"type": "reply", "to": to, "text": "你好", "character": "小芽"}]


async def test_an_operators_own_line_answers_nobody() -> None:
    wire = Wire()
    await wire.peers.show(approved())
    assert wire.told[0]["to"] is None


async def test_peers_are_told_of_a_recall_and_not_that_the_time_is_over() -> None:
    """Of the one on the air, once."""
    wire = Wire()
    await wire.peers.show(answer("websocket:7"))
    wire.peers.hide("another")
    wire.clock.now += 5.0
    wire.peers.hide("a")
    wire.peers.hide("a")
    assert wire.told[1:] == [{"type": "recall", "to": "7"}]
    await wire.peers.show(answer("websocket:8"))
    wire.clock.now += 7.9
    wire.peers.hide("a")
    assert [one["type"] for one in wire.told[2:]] == ["reply"]


async def test_an_emergency_takes_back_what_is_on_the_air() -> None:
    """To the last moment; and nothing where nothing is on."""
    wire = Wire()
    wire.peers.clear()
    await wire.peers.show(answer("websocket:7"))
    wire.clock.now += 7.9
    wire.peers.clear()
    wire.peers.clear()
    assert [one["type"] for one in wire.told] == ["reply", "recall"]
