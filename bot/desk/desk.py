"""The script desk: the open scenes, and what people do with them. What may happen to a story is in steps.py.

Nothing here reaches an audience: the desk knows no outlet and no approval queue. Its `confirm` makes pending lines part
of a story, and that is all.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from uuid import uuid4

from bot.aired import scenario_of
from bot.approval import Operator
from bot.desk import opening, view
from bot.desk.asks import Ask
from bot.desk.drafting import Drafting, Wanted
from bot.desk.feeding import Feeding
from bot.desk.opening import Source
from bot.desk.orders import AnyOrder, Given
from bot.desk.pen import Pen
from bot.desk.preparing import Preparing, likeliest
from bot.desk.scene import Clock, Scene
from bot.desk.scratch import Scratch
from bot.desk.shelf import Shelf
from bot.desk.summary import Summaries
from bot.desk.tree import shared
from bot.engine.scene_prompt import Cue
from bot.engine.types import Engine, EngineState, Reading
from bot.errors import Refused
from bot.feed import Feed
from bot.save import Save
from bot.save.desk import SceneRow
from bot.scenario import Line, Log, Scenario
from bot.view import Json, engine_json
from bot.voices import Voices

MOST_PAGES = 128  # that follow scenes, all together: each is an open file, and the show needs some, too


class Desk:
    def __init__(
        self,
        save: Save,
        engine: Engine,
        *,
        voices: Voices,
        clock: Clock,
        running: Scenario | None = None,
        new_id: Callable[[], str] = lambda: uuid4().hex[:12],
    ) -> None:
        self._save = save
        self._engine = engine
        self._voices = voices
        self._clock = clock
        self._running = running
        self._new_id = new_id
        self._shelf = Shelf(save.desk, clock, self._opened, self._closed)
        self._feeding = Feeding(engine)
        pen = Pen(engine, save.generations)
        self._drafting = Drafting(pen, self._feeding, voices, clock, self._new_id, self._ask_changed, self._draft_grew)
        self._summaries = Summaries(pen, self._feeding)
        self._preparing = Preparing(engine, self._feeding, self._scene_changed, self._read_on)
        self._tasks: asyncio.TaskGroup | None = None
        self._was_ready = engine.status.state is EngineState.READY

    async def run(self) -> None:
        """Until cancelled. Drafts are written and scenes are read while it runs."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                await asyncio.Event().wait()
            finally:
                self._tasks = None

    # -- scenes ----------------------------------------------------------------------------------------------------

    def scenes(self) -> list[Json]:
        """All of them, those in the bin too, the one changed last first."""
        return [view.row_json(row) for row in self._save.desk.scenes()]

    def open(self, series: str, name: str, by: Operator, *, title: str = "") -> str:
        """A new scene of a scenario. Raises Refused, and UserError for what is wrong with a file."""
        return self._begin(opening.of_scenario(self._save.library, series, name, title, self._new_id), by)

    async def open_log(self, series: str, name: str, log: str, by: Operator, *, title: str = "") -> str:
        """A new scene of what was played before: `log` is a file beside the scenario, and has the scenario in it."""
        library = self._save.library
        source = await asyncio.to_thread(opening.of_log, library, series, name, log, title, self._new_id)
        return self._begin(source, by)

    async def open_aired(self, show: str, by: Operator, *, day: date | None = None, title: str = "") -> str:
        """A new scene of what was aired live: `show` is its scenario's series/name. `day`: only what was aired then."""
        place, scenario = await asyncio.to_thread(scenario_of, self._save.library, show, self._running)
        return self._begin(opening.of_show(self._save, show, place, scenario, day, title, self._new_id), by)

    def _begin(self, source: Source, by: Operator) -> str:
        self._shelf.make_room()
        scene = Scene.begin(self._save.desk, self._clock, self._new_id(), source.place, source.began, by.name)
        return self._shelf.put(scene).id

    def bin(self, id: str) -> None:
        self._row(id)
        self._save.desk.bin(id, self._clock())
        if (scene := self._shelf.get(id)) is not None:
            scene.feed.publish({"event": "binned"})
            self._shelf.drop(id)

    def restore(self, id: str) -> None:
        self._row(id)
        self._save.desk.bin(id, None)

    def remove(self, id: str) -> None:
        """For ever, and only out of the bin."""
        if self._row(id).binned is None:
            raise Refused(
                "not_binned",
                "这一幕不在回收站里，不能永远删除。 It is not in the bin, so it is not deleted for ever.",
            )
        self._save.desk.remove(id)

    def scenario_moved(self, before: tuple[str, str], after: tuple[str, str]) -> None:
        """The scenario's folder has another series or name; its scenes stay with it."""
        self._save.desk.scenario_moved(before, after)
        for scene in self._shelf:
            if (scene.series, scene.name) == before:
                scene.series, scene.name = after
                self._find_avatars(scene)

    def _opened(self, scene: Scene) -> None:
        self._find_avatars(scene)
        self._prepare(scene)

    def _closed(self, scene: Scene) -> None:
        self._drafting.stop_all(scene)
        self._preparing.forget(scene)

    def _find_avatars(self, scene: Scene) -> None:
        """The scenario's folder may be gone or unreadable; then there are none."""
        place = scene.series, scene.name
        with contextlib.suppress(Refused, OSError):
            library = self._save.library
            found = [name for name in scene.story.scenario.speakers if library.avatar(*place, name) is not None]
            scene.avatars = {name: view.avatar_url(*place, name) for name in found}

    def _row(self, id: str) -> SceneRow:
        if (row := self._save.desk.scene(id)) is None:
            raise Refused("not_found", "没有这一幕。 There is no such scene.")
        return row

    # -- a page follows a scene ------------------------------------------------------------------------------------

    @contextmanager
    def following(self, id: str, tab: str) -> Iterator[Feed]:
        """What happens in a scene, for the page of this name."""
        if sum(len(scene.feed) for scene in self._shelf) >= MOST_PAGES:
            raise Refused(
                "too_many_pages", "打开的页面太多了，请先关掉几个。 Too many pages are open: close some first."
            )
        scene = self._shelf.take(id)
        scene.tabs.opened(tab)
        self._find_avatars(scene)
        try:
            yield scene.feed
        finally:
            scene.tabs.closed(tab)

    def followed(self, id: str) -> None:
        """Somebody has begun to listen, or has gone. Who listens is told how far the model is."""
        scene = self._shelf.get(id)
        if scene is None or not len(scene.feed):
            return
        if (reading := self._preparing.reading(scene)) is not None:
            self._read_on(scene, reading)
        elif not self._preparing.under_way(scene):
            self._prepare(scene)

    def snapshot(self, id: str, tab: str = "") -> Json:
        scene = self._shelf.take(id)
        scratch = scene.tabs.scratch(tab)
        lines = view.lines_json(scene.story.lines, scene.story)
        return {**self._present(scene), "lines": lines, "scratch": scratch and view.scratch_json(scratch)}

    def _present(self, scene: Scene) -> Json:
        """All but the confirmed lines."""
        measured, reading = self._preparing.measured(scene), self._preparing.reading(scene)
        return {
            **view.scene_json(scene),
            **view.measures_json(scene.story, measured),
            "reading": reading and {"done": reading.done, "total": reading.total},
            "engine": engine_json(self._engine.status),
            "presets": list(self._voices.names),
        }

    # -- what a person does ----------------------------------------------------------------------------------------

    def do(self, id: str, revision: int, order: AnyOrder, by: Operator) -> int:
        """The new revision. Raises Refused, and then nothing has changed."""
        scene = self._shelf.take(id)
        before = scene.story.lines
        scene.obey(revision, order, self._given(scene), by.name)
        self._drafting.leave(scene)
        self._scene_changed(scene, before)
        self._prepare(scene)
        return scene.revision

    def _given(self, scene: Scene) -> Given:
        time_of_day = time.strftime("%H:%M", time.localtime(self._clock()))
        library, place = self._save.library, (scene.series, scene.name)
        return Given(scene.draft_text, f"回退前 {time_of_day}", lambda: library.read(*place).scenario, self._new_id)

    def draft(self, id: str, revision: int, wanted: Wanted) -> str:
        """The ask that drafts are written for when this returns. Raises Refused."""
        scene = self._shelf.take(id)
        scene.check(revision)
        return self._drafting.begin(self._at_work(), scene, wanted)

    def summary(self, id: str, last: int) -> AsyncGenerator[str, None]:
        """The confirmed story but for its `last` lines, in a few sentences by the model, as they grow. Close it when you
        have read enough. Raises Refused, also while it grows."""
        scene = self._shelf.take(id)
        self._at_work()
        return self._summaries.written(scene, last)

    def _at_work(self) -> asyncio.TaskGroup:
        """Refused, while nothing can be written."""
        if self._tasks is None or self._engine.status.state is not EngineState.READY:
            why = self._engine.status.detail or self._engine.status.state
            raise Refused(
                "engine", f"引擎还没有就绪：{why}。可以先自己写。 The engine is not ready; you can write yourself."
            )
        return self._tasks

    def stop(self, id: str, ask: str) -> None:
        self._drafting.stop(self._shelf.take(id), ask)

    def keep_scratch(self, id: str, tab: str, scratch: Scratch) -> None:
        self._shelf.take(id).keep_scratch(tab, scratch)

    async def save_log(self, id: str) -> str:
        """Writes the confirmed story beside its scenario; the new file's name."""
        scene = self._shelf.take(id)
        log = Log(scene.story.scenario, scene.story.lines)
        try:
            self._save.library.folder(scene.series, scene.name)
        except Refused as missing:
            raise Refused(
                "no_scenario",
                "剧本不在 Save/ 里，回放没有地方放；“阅读”里可以导出 _Log.json。"
                " The scenario is not in Save/, so there is no place for a log; it can be exported at Read.",
            ) from missing
        return await asyncio.to_thread(self._save.library.write_log, scene.series, scene.name, log)

    def scene(self, id: str) -> Scene:
        """Raises Refused where there is no such scene, or it is in the bin."""
        return self._shelf.take(id)

    # -- what is looked at -----------------------------------------------------------------------------------------

    async def fed(self, id: str, character: str | None = None) -> Json:
        """What would be fed for this character's words, or those of whoever is likeliest to speak."""
        story = self._shelf.take(id).story
        fed = await self._feeding.fed(story, Cue(likeliest(story) if character is None else character))
        shown, exact = await self._feeding.shown(fed)
        return view.fed_json(shown, exact, fed.form)

    def scenario(self, id: str) -> Json:
        """`there`: the library has it. `changed`: its file says other than what the scene goes by."""
        scene = self._shelf.take(id)
        with contextlib.suppress(Refused):
            kept = self._save.library.read(scene.series, scene.name)
            return {"there": True, "changed": kept.scenario != scene.story.scenario}
        return {"there": False, "changed": False}

    def tree(self, id: str) -> Json:
        return view.tree_json(self._shelf.take(id).story)

    def compare(self, id: str, a: str = "", b: str = "") -> Json:
        """Two branches; "" is the present one."""
        story = self._shelf.take(id).story
        return view.compare_json(story, a or story.branch, b or story.branch)

    def versions(self, id: str, line: str) -> Json:
        return view.versions_json(self._shelf.take(id).story, line)

    # -- telling the pages -----------------------------------------------------------------------------------------

    def engine_changed(self) -> None:
        ready = self._engine.status.state is EngineState.READY
        for scene in self._shelf:
            scene.feed.publish({"event": "engine", **engine_json(self._engine.status)})
            if ready and not self._was_ready and len(scene.feed):
                self._prepare(scene)
        self._was_ready = ready

    def _prepare(self, scene: Scene) -> None:
        if self._tasks is not None:
            self._preparing.begin(self._tasks, scene)

    def _scene_changed(self, scene: Scene, before: Sequence[Line] | None = None) -> None:
        """`before`: the confirmed lines that were told last; None: the same."""
        story = scene.story
        kept = len(story.lines) if before is None else shared(before, story.lines)
        tail = view.lines_json(story.lines[kept:], story)
        scene.feed.publish({"event": "scene", **self._present(scene), "kept": kept, "lines": tail})

    def _ask_changed(self, scene: Scene, ask: Ask) -> None:
        if ask.place == scene.story.place:
            scene.feed.publish({"event": "ask", **view.ask_json(ask)})

    def _draft_grew(self, scene: Scene, ask: Ask, index: int) -> None:
        if ask.place == scene.story.place:
            scene.feed.publish(view.draft_event(ask, index))

    def _read_on(self, scene: Scene, reading: Reading) -> None:
        scene.feed.publish({"event": "reading", "done": reading.done, "total": reading.total})
