"""Notices to browsers: order, bounds, and what a slow reader is told."""

from __future__ import annotations

from bot.feed import DROPPED, Feed


async def test_readers_get_what_is_published_after_they_came() -> None:
    feed = Feed()
    feed.publish({"event": "early"})
    with feed.subscribe() as one, feed.subscribe() as two:
        feed.publish({"event": "status"})
        assert await anext(one) == await anext(two) == {"event": "status"}
        assert len(feed) == 2
    assert len(feed) == 0


async def test_a_slow_reader_loses_all_it_has_not_read_and_is_told() -> None:
    """It gets `dropped` in place of the gap, and what came after it, in order; the quick one loses nothing."""
    feed = Feed(bound=3)
    with feed.subscribe() as slow, feed.subscribe() as quick:
        for number in range(5):
            feed.publish({"event": number})
            assert await anext(quick) == {"event": number}
        assert [await anext(slow), await anext(slow)] == [DROPPED, {"event": 4}]


async def test_a_reader_waits_for_the_next_event() -> None:
    import asyncio

    feed = Feed()
    with feed.subscribe() as reader:
        waiting = asyncio.ensure_future(anext(reader))
        await asyncio.sleep(0)
        assert not waiting.done()
        feed.publish({"event": "item"})
        assert await waiting == {"event": "item"}
