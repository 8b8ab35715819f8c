"""What every adapter leans on: the inbox that never grows, the pauses between tries, the state on the panel."""

import asyncio
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.base import AdapterState, Inbox, Pauses, Phase, Seen, state_of
from bot.messages import Kind, Message, MessageId, Viewer


def chat(name: str, price: float | None = None) -> Message:
    return Message(MessageId(name), Kind.DANMAKU, Viewer("t", name, name), name, price)


async def drain(inbox: Inbox) -> list[str]:
    return [(await inbox.get()).id for _ in range(len(inbox))]


async def test_the_inbox_gives_messages_back_in_order():
    """Plain and paid messages come out as they went in."""
    inbox = Inbox(10)
    for message in (chat("a"), chat("b", 30), chat("c"), chat("d", 5)):
        assert inbox.put(message) is None
    assert await drain(inbox) == ["a", "b", "c", "d"]


async def test_the_oldest_plain_message_gives_way():
    """A full inbox loses its oldest plain message, though a paid one is older."""
    inbox = Inbox(3)
    for message in (chat("paid", 30), chat("old"), chat("new")):
        inbox.put(message)
    gone = inbox.put(chat("newest"))
    assert gone is not None and gone.id == "old"
    assert await drain(inbox) == ["paid", "new", "newest"]


async def test_a_plain_message_never_pushes_out_a_paid_one():
    """When only paid messages wait, a plain newcomer is the one that gives way; among paid ones it is the oldest."""
    inbox = Inbox(2)
    inbox.put(chat("p1", 1))
    inbox.put(chat("p2", 1))
    gone = [inbox.put(chat("plain")), inbox.put(chat("p3", 1))]
    assert [message and message.id for message in gone] == ["plain", "p1"]
    assert await drain(inbox) == ["p2", "p3"]


async def test_a_reader_is_woken_by_the_next_message():
    """`get` on an empty inbox waits, and ends with the message that comes."""
    inbox = Inbox()
    reader = asyncio.create_task(inbox.get())
    await asyncio.sleep(0)
    assert not reader.done()
    inbox.put(chat("a"))
    assert (await reader).id == "a"


@given(st.integers(1, 6), st.lists(st.booleans(), max_size=40))
async def test_the_inbox_equals_a_plain_list_with_the_rule_spelled_out(limit: int, paid: list[bool]):
    """Bound, order, who gives way, and that nothing is lost silently: compared with the slow way of saying it."""
    inbox, slow = Inbox(limit), deque[Message]()
    for number, pays in enumerate(paid):
        message = chat(str(number), 1 if pays else None)
        slow.append(message)
        expected = None
        if len(slow) > limit:
            expected = next((waiting for waiting in slow if not waiting.paid), slow[0])
            slow.remove(expected)
        assert inbox.put(message) is expected
        assert len(inbox) <= limit
    assert await drain(inbox) == [message.id for message in slow]


def test_pauses_grow_to_a_minute():
    """Without luck the pauses are 1, 2, 4 … 60 s, and stay there."""
    pauses = Pauses(jitter=lambda: 1.0)
    assert [pauses.next(0) for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]


def test_only_a_healthy_connection_starts_the_pauses_again():
    """29 s of life change nothing; 30 s do."""
    pauses = Pauses(jitter=lambda: 1.0)
    assert [pauses.next(0), pauses.next(29), pauses.next(29.9), pauses.next(30), pauses.next(0)] == [1, 2, 4, 1, 2]


@pytest.mark.parametrize("draw", [0.0, 0.25, 0.999])
def test_pauses_are_drawn_below_their_bound(draw: float):
    """Full jitter: any share of the bound may come, so clients do not return together."""
    pauses = Pauses(jitter=lambda: draw)
    assert [pauses.next(0) for _ in range(3)] == [draw, 2 * draw, 4 * draw]


def test_the_state_counts_what_was_heard():
    """`heard` moves the count and the time of the last message; `become` says how it is going."""
    state = AdapterState()
    state.heard(12.5)
    state.become(Phase.LIVE, "ok")
    assert (state.received, state.last_message, state.state, state.detail) == (1, 12.5, "live", "ok")


def test_an_adapter_without_a_state_is_fine():
    """`state` is optional for authors."""

    class Bare:
        name = "bare"

        async def messages(self):
            yield chat("a")

    assert state_of(Bare()) is None


def test_a_key_is_first_once():
    """Until it has not been there for the given time, and as many others as are kept at least have been."""
    seen = Seen(limit=10, seconds=600, least=1)
    assert [seen.first("a", now) for now in (0, 1, 599, 1198, 9999)] == [True, False, False, False, False]
    assert seen.first("b", 10_598) and not seen.first("a", 10_598)
    assert seen.first("c", 11_198) and seen.first("a", 11_198)


@given(st.lists(st.tuples(st.integers(0, 20), st.floats(0, 300)), max_size=60))
def test_what_is_remembered_is_bounded(steps: list[tuple[int, float]]):
    """Never more than the limit, whatever comes when; and the newest are always known."""
    seen, now = Seen(limit=5, seconds=600), 0.0
    for key, pause in steps:
        now += pause
        seen.first(key, now)
        assert len(seen) <= 5
        assert not seen.first(key, now)
