"""What is done about a scene in the background after every change: it is measured, and the model reads it ahead, so that
drafts begin at once; the page shows how far that is.

A scene is of use without it: where the engine is down or fails, nothing is read and nothing is lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from bot.desk.cast import next_speakers
from bot.desk.feeding import Feeding
from bot.desk.length import advice, repetition, trained_context
from bot.desk.lorebook import Lore
from bot.desk.scene import Scene
from bot.desk.story import Story
from bot.engine.scene_prompt import Cue, Fed
from bot.engine.types import Engine, EngineError, EngineState, Reading
from bot.errors import UserError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Measured:
    """What the model would read now. `tokens` None: not counted yet. `problem`: why there is nothing to read, for people
    (the scenario's file may be wrong)."""

    tokens: int | None = None
    exact: bool = False
    lore: Lore = Lore()
    advice: str | None = None
    problem: str | None = None


class Preparing:
    """`measured` hears that a scene has new figures; `read_on` of every bit of reading, and at the end of one with nothing
    left, so that whoever waits for the model can go in. While the engine is down nothing is heard: it begins anew then."""

    def __init__(
        self,
        engine: Engine,
        feeding: Feeding,
        measured: Callable[[Scene], None],
        read_on: Callable[[Scene, Reading], None],
    ) -> None:
        self._engine = engine
        self._feeding = feeding
        self._told_measures = measured
        self._told_reading = read_on
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._reading: dict[str, Reading] = {}
        self._measured: dict[str, Measured] = {}

    def reading(self, scene: Scene) -> Reading | None:
        """How far the model is. None: it is not reading."""
        return self._reading.get(scene.id)

    def measured(self, scene: Scene) -> Measured:
        """The newest figures, which may be those of a moment ago."""
        return self._measured.get(scene.id, Measured())

    def under_way(self, scene: Scene) -> bool:
        return scene.id in self._tasks

    def begin(self, tasks: asyncio.TaskGroup, scene: Scene) -> None:
        """For the story as it is now; what was under way for it as it was before ends."""
        self._end(scene)
        self._tasks[scene.id] = tasks.create_task(self._prepare(scene, scene.story))

    def forget(self, scene: Scene) -> None:
        self._end(scene)
        self._measured.pop(scene.id, None)

    def _end(self, scene: Scene) -> None:
        self._reading.pop(scene.id, None)
        if (task := self._tasks.pop(scene.id, None)) is not None:
            task.cancel()

    async def _prepare(self, scene: Scene, story: Story) -> None:
        """Whatever goes wrong here costs no more than that somebody waits for a draft."""
        end = Reading(0, 0)
        try:
            if (fed := await self._measured_text(scene, story)) is not None:
                end = await self._read(scene, fed)
        except EngineError as error:
            log.info("scene %s was not read ahead: %s", scene.id, error)
        except Exception as error:
            log.error("scene %s could not be prepared: %s", scene.id, type(error).__name__)
            log.debug("in full", exc_info=error)
        # Before anybody hears of it: for who comes from now on it begins anew, which costs nothing.
        self._tasks.pop(scene.id, None)
        self._reading.pop(scene.id, None)
        if self._engine.status.state is EngineState.READY:
            self._told_reading(scene, end)

    async def _measured_text(self, scene: Scene, story: Story) -> Fed | None:
        """What there is to read, measured. None: the scenario's file is wrong, and the page is told why."""
        try:
            fed = await self._feeding.fed(story, Cue(likeliest(story)))
            await self._measure(scene, story, fed)
        except UserError as error:
            self._tell_measures(scene, Measured(problem=str(error)))
            return None
        return fed

    async def _measure(self, scene: Scene, story: Story, fed: Fed) -> None:
        counted = await self._feeding.count(fed)
        tokens = sum(counted.tokens)
        said = advice(tokens, trained_context(self._engine.status.model), repetition(story.lines))
        self._tell_measures(scene, Measured(tokens, counted.exact, await self._feeding.lore(story), said))

    async def _read(self, scene: Scene, fed: Fed) -> Reading:
        """Returns the last Reading."""
        last = Reading(0, 0)
        if self._engine.status.state is EngineState.READY:
            async with contextlib.aclosing(self._engine.read(fed.prompt)) as readings:  # type: ignore[type-var]
                async for last in readings:
                    if last.done < last.total:
                        self._reading[scene.id] = last
                        self._told_reading(scene, last)
        return last

    def _tell_measures(self, scene: Scene, measured: Measured) -> None:
        if measured != self._measured.get(scene.id):
            self._measured[scene.id] = measured
            self._told_measures(scene)


def likeliest(story: Story) -> str:
    """Who would speak now."""
    return next(iter(next_speakers(story.here.everything, story.present, story.cast.turns)), story.scenario.speaker)
