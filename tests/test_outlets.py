"""The overlay's outlet: what it says, what a late page is told, and how quickly it forgets."""

from __future__ import annotations

from bot.approval import ApprovalQueue, Approved, Draft, Item, ItemId, Operator, Quote
from bot.feed import Feed
from bot.outlets import Overlay, reading_seconds


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
