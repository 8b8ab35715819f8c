"""What programs on our websocket hear of a whole show: nothing before a person has approved it and it is on the air."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.approval import Operator
from bot.feed import Feed
from bot.intake import Intake
from bot.messages import Kind, Message, MessageId, Viewer
from bot.outlets import Peers
from bot.rules import Rules
from bot.save import Save
from bot.show import Show
from moderation import build_chain
from tests.test_show import SCENE, Puppet
from tests.waiting import until

ANNA = Operator("Anna")


class Room:
    """A show that runs, and what its peers are told."""

    def __init__(self, folder: Path) -> None:
        self.now = 1000.0
        self.told: list[dict[str, Any]] = []
        self.save = Save(folder)
        self.show = Show(
            scenario=SCENE,
            engine=Puppet(),
            intake=Intake(cooldown=0.0),
            checks=build_chain(speakers=SCENE.speakers),
            save=self.save,
            outlets=(Peers(lambda text: self.told.append(json.loads(text)), "websocket", lambda: self.now),),
            feed=Feed(),
            rules=Rules(drafts=1),
            clock=lambda: self.now,
        )

    async def asked(self, number: str) -> dict[str, Any]:
        """A viewer asks; the card with its draft."""
        viewer = Viewer("websocket", f"u{number}", f"观众甲{number}")
        message = Message(
            MessageId(f"websocket:{number}"), Kind.DANMAKU, viewer, f"第{number}个问题是什么？", time=self.now
        )
        self.show.hear(message)
        await until(lambda: any(item["drafts"] and not item["drafting"] for item in self.pending()))
        return self.pending()[0]

    def pending(self) -> list[dict[str, Any]]:
        return [item for item in self.show.snapshot()["items"] if item["state"] == "pending"]


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    room = Room(tmp_path)
    task = asyncio.create_task(room.show.run())
    await asyncio.sleep(0)
    room.show.operators_changed(1)
    yield room
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    room.save.close()


async def test_the_words_that_were_approved_and_when_they_air(room: Room) -> None:
    """Drafts, rejected ones and edits before the click are nobody's business."""
    item = await room.asked("1")
    room.show.reject(item["id"], item["revision"], ANNA)
    item = await room.asked("2")
    assert room.told == []
    room.show.approve(item["id"], item["revision"], "改过的话", ANNA)
    assert room.told == []  # approved, not yet on the air
    await until(lambda: room.told)
    assert room.told == [{"type": "reply", "to": "2", "text": "改过的话", "character": "小芽"}]
    room.now += 60.0
    await until(lambda: room.show.snapshot()["on_air"] is None)
    assert len(room.told) == 1  # its time is over: no news


async def test_a_recall_and_the_emergency_stop_take_it_back(room: Room) -> None:
    """And after the stop nothing airs, whatever was approved."""
    for number, take_back in (("1", "recall"), ("2", "stop")):
        item = await room.asked(number)
        room.show.approve(item["id"], item["revision"], f"回答{number}", ANNA)
        await until(lambda number=number: room.told and room.told[-1].get("text") == f"回答{number}")
        on_air = room.show.snapshot()["on_air"]
        if take_back == "recall":
            room.show.recall(on_air["id"], on_air["revision"], ANNA)
        else:
            room.show.stop(ANNA)
        assert room.told[-1] == {"type": "recall", "to": number}
    assert len(room.told) == 4
