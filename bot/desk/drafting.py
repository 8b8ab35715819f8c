"""Requests for drafts while they run: the engine's words onto the asks of a scene, as they come. Decides nothing."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.desk.asks import Ask, Draft
from bot.desk.feeding import Feeding
from bot.desk.pen import Pen
from bot.desk.scene import Clock, Scene
from bot.desk.story import Story
from bot.engine.scene_prompt import Cue
from bot.engine.types import DraftDone, DraftText, EngineError, Sampling
from bot.errors import Refused, UserError
from bot.voices import Voices

MOST_DRAFTS = 24  # of one ask; more are not read by anyone
MOST_RUNNING = 4  # requests of one scene at a time
MOST_ROWS = 40
"""Of the model's 64, for all scenes together, so that the show's cards always find room beside them."""

NOTHING = "这次没有写出内容，可以按“更多”再试。 Nothing was written; ask for more to try again."

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks the model for. `character`: who is to speak, or tell. `sampling`: a preset's name or values over
    the character's own; None: its own. `continues`: the line that the drafts go on with. `ask`: the one that more drafts
    are for; who speaks and what they continue is its own."""

    character: str = ""
    count: int = 4
    start_with: str = ""
    min_length: int = 0
    hint: str = ""
    sampling: str | dict[str, Any] | None = None
    continues: str = ""
    ask: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What the engine is asked for, of the story as it was then. `continues`: the line that the drafts go on with."""

    story: Story
    cue: Cue
    continues: str
    sampling: Sampling
    count: int

    @property
    def rows(self) -> int:
        """What it takes of the model at once: a guided draft grows beside the one that it is led away from."""
        return self.count * (2 if self.sampling.guides else 1)


class Drafting:
    """`ask_changed` and `draft_grew` (with the draft's number) tell whoever looks at the scene."""

    def __init__(
        self,
        pen: Pen,
        feeding: Feeding,
        voices: Voices,
        clock: Clock,
        new_id: Callable[[], str],
        ask_changed: Callable[[Scene, Ask], None],
        draft_grew: Callable[[Scene, Ask, int], None],
    ) -> None:
        self._pen = pen
        self._feeding = feeding
        self._voices = voices
        self._clock = clock
        self._new_id = new_id
        self._ask_changed = ask_changed
        self._draft_grew = draft_grew
        self._running: dict[tuple[str, str], dict[asyncio.Task[str | None], Request]] = {}  # by scene and ask

    def begin(self, tasks: asyncio.TaskGroup, scene: Scene, wanted: Wanted) -> str:
        """The ask for which drafts are being written when this returns. Raises Refused."""
        ask = self._asked(scene, wanted)
        _check_room(scene, ask, wanted.count)
        cue = Cue(ask.character, wanted.start_with, wanted.hint)
        sampling = self._sampling(scene.story, ask.character, wanted)
        request = Request(scene.story, cue, ask.continues, sampling, wanted.count)
        running = (one for requests in self._running.values() for one in requests.values())
        if sum(one.rows for one in running) + request.rows > MOST_ROWS:
            raise Refused(
                "busy", "各幕正在写的候选太多了，请等一等，或少要几条。 Too many drafts are being written: wait."
            )
        self._start(tasks, scene, ask, request)
        return ask.id

    def _asked(self, scene: Scene, wanted: Wanted) -> Ask:
        """A new ask, or one that gets more drafts."""
        if wanted.ask:
            here = next((ask for ask in scene.asks_here if ask.id == wanted.ask), None)
            if here is None:
                raise Refused("not_found", "这批候选已经不在了，请重新要。 These drafts are no longer here: ask anew.")
            return here
        story = scene.story
        character = story.find(wanted.continues).character if wanted.continues else wanted.character
        return Ask(self._new_id(), story.place, character, self._clock(), wanted.continues)

    def _sampling(self, story: Story, character: str, wanted: Wanted) -> Sampling:
        try:
            return self._voices.of(story.scenario, character, wanted.sampling, wanted.min_length)
        except (ValueError, UserError) as error:
            raise Refused("bad_sampling", str(error)) from error

    def _start(self, tasks: asyncio.TaskGroup, scene: Scene, ask: Ask, request: Request) -> None:
        first = len(ask.drafts)
        scene.put(ask.begun(request.count))
        task = tasks.create_task(self._draft(scene, ask.id, first, request))
        self._running.setdefault((scene.id, ask.id), {})[task] = request
        task.add_done_callback(lambda task: self._ended(scene, ask.id, first, task))
        self._ask_changed(scene, scene.asks[ask.id])

    def stop(self, scene: Scene, ask: str) -> None:
        """What is finished stays; the engine ends the rest within one step."""
        for task in self._running.get((scene.id, ask), ()):
            task.cancel()

    def leave(self, scene: Scene) -> None:
        """The story has gone on: what was asked for another place is not on the screen any more."""
        for ask in scene.asks.values():
            if ask.place != scene.story.place:
                self.stop(scene, ask.id)

    def stop_all(self, scene: Scene) -> None:
        for ask in scene.asks:
            self.stop(scene, ask)

    async def _draft(self, scene: Scene, ask: str, first: int, request: Request) -> str | None:
        """Returns why there is nothing more, for people. A failure costs this request and nothing else."""
        try:
            fed = await self._feeding.fed(request.story, request.cue, request.continues)
            drafts = self._pen.drafts(scene, request.cue.character, fed.prompt, request.count, request.sampling)
            async with contextlib.aclosing(drafts):
                async for event in drafts:
                    self._grow(scene, ask, first + event.index, event)
        except (EngineError, UserError, Refused) as failure:
            return str(failure)
        except Exception as failure:
            log.error("drafts of scene %s failed: %s", scene.id, type(failure).__name__)
            log.debug("in full", exc_info=failure)
            return f"生成失败（{type(failure).__name__}），可以按“更多”重试。 Generation failed; ask for more to try again."
        written = scene.asks[ask].drafts[first : first + request.count]
        return None if any(draft.done for draft in written) else NOTHING

    def _grow(self, scene: Scene, ask_id: str, index: int, event: DraftText | DraftDone) -> None:
        # A draft without a word is no proposal: it never counts as finished.
        draft = Draft(event.text, done=isinstance(event, DraftDone) and bool(event.text))
        ask = scene.put(scene.asks[ask_id].grown(index, draft))
        if draft.done:
            scene.keep(ask)
        self._draft_grew(scene, ask, index)

    def _ended(self, scene: Scene, ask_id: str, first: int, task: asyncio.Task[str | None]) -> None:
        request = self._running[scene.id, ask_id].pop(task)
        if not self._running[scene.id, ask_id]:
            del self._running[scene.id, ask_id]
        error = None if task.cancelled() else task.result()
        ask = scene.put(scene.asks[ask_id].ended(first, request.count, error))
        self._ask_changed(scene, ask)
        scene.let_go()


def _check_room(scene: Scene, ask: Ask, count: int) -> None:
    """Raise Refused where nobody could read what is asked for."""
    if len(ask.drafts) + count > MOST_DRAFTS:
        raise Refused("enough", f"一处最多 {MOST_DRAFTS} 条候选，请选一条或改改提示。 There are enough drafts here.")
    if sum(one.running for one in scene.asks.values()) >= MOST_RUNNING:
        raise Refused(
            "busy",
            f"正在写的已有 {MOST_RUNNING} 批，请等一等或先停下一批。 Enough is being written: wait, or stop some.",
        )
