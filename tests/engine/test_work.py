"""What the model's process does with its orders: frames in, frames out, no pipes."""

from __future__ import annotations

import queue
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.engine.frames import Frame, drafts_frame
from bot.engine.states.keeping import Keeping
from bot.engine.types import Prompt, Sampling
from bot.engine.work import Work

PROMPT = Prompt(("背景。", "\n\n", "小溪:"), keep=(2,))
ENDLESS = Sampling(max_tokens=4000, min_tokens=4000)
SHORT = Sampling(max_tokens=5)


class Enough(Exception):
    """Ends a worker that would work for ever."""


@pytest.fixture(scope="module")
def work(tiny_path: Path) -> Work:
    return Work(tiny_path, "cpu fp32", 1, keeping=Keeping(memory=1 << 20))


def said(work: Work, *first: Frame, hear: Callable[[Frame], list[Frame]] = lambda frame: []) -> list[Frame]:
    """All that it says to these orders, and to those that `hear` answers with, until it is idle again."""
    orders: queue.Queue[Frame] = queue.Queue()
    frames: list[Frame] = []

    def say(frame: Frame) -> None:
        frames.append(frame)
        for order in hear(frame):
            orders.put(order)
        if frame["is"] == "figures" and len(frames) > 1 and not frame["figures"]["rows"] + frame["figures"]["queue"]:
            raise Enough

    for order in first:
        orders.put(order)
    with pytest.raises(Enough):
        work.run(orders, say)
    return frames


def test_figures_frame_an_answer(work: Work) -> None:
    """Told before and after; they count what was done, and how long it took."""
    before, *events, after = said(work, drafts_frame(1, PROMPT, 3, SHORT))
    assert sum(event["is"] == "finished" for event in events) == 3
    gained = {name: after["figures"][name] - before["figures"][name] for name in before["figures"]}
    assert gained["answers_done"] == gained["first_text_seconds_count"] == gained["last_draft_seconds_count"] == 1
    assert 3 <= gained["tokens_drawn"] <= 15 and gained["tokens_read"] > 0
    assert gained["steps"] <= gained["row_steps"] <= 3 * gained["steps"]
    assert after["figures"]["tokens_per_second"] > 0 and 1 <= after["figures"]["rows_per_step"] <= 3


def test_a_cancel_takes_effect_within_a_step(work: Work) -> None:
    """Nothing comes of that answer but what the present step, a draft's first, has given; the other one goes on."""
    endless, short = (
        drafts_frame(1, PROMPT, 2, ENDLESS),
        drafts_frame(2, PROMPT, 1, Sampling(max_tokens=20, min_tokens=20)),
    )
    late: list[Frame] = []

    def hear(frame: Frame) -> list[Frame]:
        if frame["is"] != "figures" and frame["answer"] == 1:
            late.append(frame)
            return [{"do": "cancel", "answer": 1}] if len(late) == 1 else []
        return []

    frames = said(work, endless, short, hear=hear)
    assert len(late) <= 2 * 2  # two tokens for each of two drafts
    assert [frame["answer"] for frame in frames if frame["is"] == "finished"] == [2]
    assert frames[-1]["figures"]["answers_cancelled"] == 1


def test_what_cannot_be_served_is_lost_in_words(work: Work) -> None:
    """And the worker goes on."""
    frames = said(work, drafts_frame(1, PROMPT, 0, SHORT))
    assert [frame["is"] for frame in frames] == ["figures", "lost", "figures"]
    assert "候选" in frames[1]["message"]
    assert sum(frame["is"] == "finished" for frame in said(work, drafts_frame(2, PROMPT, 1, SHORT))) == 1
