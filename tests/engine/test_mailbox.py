"""What waits for the reader of an answer: the newest of each draft, and no more."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.engine.mailbox import Mailbox, Progress
from bot.engine.types import DraftDone, DraftText, Ending, EngineError, Reading

DRAFTS = 3


async def test_a_mailbox_holds_the_newest_of_each_draft() -> None:
    """A thousand events that nobody takes are as many as there are drafts; a loss comes after what was there."""
    mailbox = Mailbox(2)
    for _ in range(1000):
        mailbox.grew(0, "好")
        mailbox.grew(1, "a ")
    mailbox.finished(0, "完", Ending.STOP)
    assert len(mailbox) == 2
    mailbox.lose("没了")
    assert await mailbox.take() == DraftDone(0, "完", Ending.STOP)
    assert await mailbox.take() == DraftText(1, ("a " * 1000).rstrip())
    with pytest.raises(EngineError, match="没了"):
        await mailbox.take()


async def taken(mailbox: Mailbox) -> DraftText | DraftDone | str:
    """What comes at once: an event, a loss, or "" for nothing."""
    try:
        async with asyncio.timeout(0):
            return await mailbox.take()
    except TimeoutError:
        return ""
    except EngineError as error:
        return str(error)


@given(st.lists(st.tuples(st.sampled_from(["grew", "finished", "take", "lose"]), st.integers(0, DRAFTS - 1))))
def test_any_reader_of_any_answer(load: list[tuple[str, int]]) -> None:
    """Slow or quick: every draft's texts grow, its end comes once and last, and what waits is never more than there are
    drafts. A loss comes after all that was there, and again to whoever asks again."""

    async def read() -> None:
        mailbox = Mailbox(DRAFTS)
        said = dict.fromkeys(range(DRAFTS), "")
        ended: set[int] = set()  # by the model
        seen: dict[int, DraftText | DraftDone] = {}
        lost = False

        async def take() -> bool:
            waiting = len(mailbox)
            event = await taken(mailbox)
            if isinstance(event, str):
                assert not waiting and event == ("lost" if lost else "")
                return False
            before = seen.get(event.index)
            assert not isinstance(before, DraftDone), "nothing comes after the end"
            assert event.text == said[event.index], "the newest"
            assert before is None or event.text.startswith(before.text)
            assert isinstance(event, DraftDone) == (event.index in ended)
            seen[event.index] = event
            return True

        for what, index in load:
            if what == "take":
                await take()
            elif what == "lose":
                mailbox.lose("lost")
                lost = True
            elif index not in ended:
                said[index] += "好"
                if what == "grew":
                    mailbox.grew(index, "好")
                else:
                    mailbox.finished(index, said[index], Ending.STOP)
                    ended.add(index)
            assert len(mailbox) <= DRAFTS and mailbox.open == DRAFTS - len(ended)
        while await take():
            pass
        assert {index for index, event in seen.items() if isinstance(event, DraftDone)} == ended
        assert {index: event.text for index, event in seen.items()} == {i: text for i, text in said.items() if text}

    asyncio.run(read())


async def test_a_reader_that_waits_is_woken() -> None:
    """By news, and by a loss."""
    mailbox = Mailbox(1)
    for say in (lambda: mailbox.grew(0, "好"), lambda: mailbox.lose("没了")):
        reader = asyncio.create_task(mailbox.take())
        await asyncio.sleep(0)
        assert not reader.done()
        say()
        await asyncio.wait([reader])
        assert reader.exception() is not None or reader.result() == DraftText(0, "好")
    with pytest.raises(EngineError, match="没了"):
        await mailbox.take()


async def told(progress: Progress) -> list[Reading]:
    return [await progress.take() for _ in range(2) if len(progress)]


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1))
def test_progress_begins_at_nothing_and_never_goes_back_on_the_whole(reports: list[tuple[int, bool]]) -> None:
    """The first says how much there is to read, what is told adds up, and a slow reader misses only what is out of date."""

    async def read() -> list[Reading]:
        progress, seen = Progress(), list[Reading]()
        for left, looks in [*reports, (0, True)]:
            progress.left(left)
            if looks:
                seen += await told(progress)
        assert not progress.open and not len(progress)
        return seen

    seen = asyncio.run(read())
    assert seen[0].done == 0 and seen[-1].done == seen[-1].total == max(left for left, _ in reports)
    assert all(0 <= one.done <= one.total for one in seen)
    assert [one.total for one in seen] == sorted(one.total for one in seen)


async def test_nothing_to_read_is_said_once() -> None:
    """Both the first report and the last."""
    progress = Progress()
    progress.left(0)
    assert await told(progress) == [Reading(0, 0)]
    assert not progress.open


async def test_a_lost_reading_is_said_after_what_waits() -> None:
    """And then again, to whoever asks again."""
    progress = Progress()
    progress.left(7)
    progress.lose("没了")
    assert await progress.take() == Reading(0, 7)
    for _ in range(2):
        with pytest.raises(EngineError, match="没了"):
            await progress.take()
