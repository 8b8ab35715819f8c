"""What a refresh will leave out, told in a few sentences by the model itself. The writer reads and edits them; no story
and no model knows of them until a person has ordered the refresh.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from bot.desk.feeding import Feeding
from bot.desk.pen import Pen
from bot.desk.scene import Scene
from bot.desk.story import Story
from bot.engine.scene_prompt import Cue
from bot.engine.types import EngineError, Sampling
from bot.errors import Refused, UserError
from bot.scenario import NARRATOR

SAMPLING = Sampling(temperature=0.7, top_p=0.3, presence=0.2, frequency=0.2, min_tokens=16, max_tokens=320)
"""Close to what was said: a summary must invent nothing."""

NOTHING = "这次没有写出内容，可以再试一次，或自己写。 Nothing was written: try again, or write it yourself."


@dataclass(frozen=True, slots=True)
class Wording:
    """How a model is asked: a stage direction, and the beginning of what it writes, which is no part of the summary."""

    hint: str
    begin: str


CHINESE = Wording("写下去之前，用几句话概括前面的故事：有谁、在哪里、发生了什么、什么还没有了结。", "前情提要：")
ENGLISH = Wording(
    "Before it goes on: the story so far in a few sentences. Who, where, what has happened, what is still open.",
    "The story so far:",
)


class Summaries:
    """One at a time for each scene."""

    def __init__(self, pen: Pen, feeding: Feeding) -> None:
        self._pen = pen
        self._feeding = feeding
        self._running: set[str] = set()

    async def written(self, scene: Scene, last: int) -> AsyncGenerator[str, None]:
        """All of it so far, each time that it has grown, of the confirmed story without its `last` lines. Closing this
        ends it. Raises Refused."""
        if scene.id in self._running:
            raise Refused("busy", "正在写前情，请等一等。 A summary is being written: wait a moment.")
        self._running.add(scene.id)
        try:
            text = ""
            async with contextlib.aclosing(self._texts(scene, last)) as texts:
                async for text in texts:
                    yield text
        except (EngineError, UserError) as failure:
            raise Refused("engine", str(failure)) from failure
        finally:
            self._running.discard(scene.id)
        if not text:
            raise Refused("empty", NOTHING)

    async def _texts(self, scene: Scene, last: int) -> AsyncGenerator[str, None]:
        wording = wording_of(scene.story)
        fed = await self._feeding.to_summarise(scene.story, last, Cue(NARRATOR, wording.begin, wording.hint))
        drafts = self._pen.drafts(scene, NARRATOR, fed.prompt, 1, SAMPLING)
        async with contextlib.aclosing(drafts):
            async for event in drafts:
                if text := event.text.strip().removeprefix(wording.begin).strip():
                    yield text


def wording_of(story: Story) -> Wording:
    """In the language of the story."""
    told = "".join((story.scenario.background, *(line.text for line in story.lines[-20:])))
    return CHINESE if re.search(r"[\u3400-\u9fff]", told) else ENGLISH
