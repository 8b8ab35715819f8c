"""Where a story to read comes from: a scene of the desk, a saved log, or what was aired live. Reads; changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from bot.aired import aired_lines, scenario_of
from bot.chapter import Chapter, Heading
from bot.chapter.search import Found, search
from bot.desk.history import fold
from bot.desk.steps import CHANGES, STEP, Began
from bot.desk.story import Story
from bot.errors import Refused, UserError
from bot.save import Save
from bot.save.desk import SceneRow
from bot.save.library import Library
from bot.scenario import Log, Scenario

# What one search looks into, those changed last first, and how many of them it answers with.
MOST_STORIES = 300
MOST_LINES = 100_000
MOST_FOUND = 50


@dataclass(frozen=True, slots=True)
class Place:
    """What an address names: a `scene`; or the `log` of a scenario, by series and name; or a `show`, as series/name."""

    scene: str = ""
    show: str = ""
    series: str = ""
    name: str = ""
    log: str = ""

    @classmethod
    def named(cls, query: Mapping[str, str]) -> Place | None:
        """None where an address names no story."""
        if query.get("scene"):
            return cls(scene=query["scene"])
        if query.get("show"):
            return cls(show=query["show"])
        if query.get("log"):
            return cls(series=query.get("series", ""), name=query.get("name", ""), log=query["log"])
        return None

    def query(self) -> dict[str, str]:
        return {key: value for key, value in asdict(self).items() if value}


@dataclass(frozen=True, slots=True)
class Listed:
    """A story in the list. `changed`: seconds since 1970."""

    place: Place
    title: str
    series: str
    name: str
    lines: int
    changed: float


@dataclass(frozen=True, slots=True)
class Opened:
    """A story, and by series and name the library's folder that it belongs to."""

    chapter: Chapter
    series: str
    name: str


@dataclass(frozen=True, slots=True)
class Searched:
    """The stories that have the words. `complete`: there are no more."""

    found: tuple[tuple[Listed, Found], ...]
    complete: bool


class Stories:
    """`running` is the scenario of the show, which need not be one of the library's. All but reading show.db is done in
    threads: a story may be long, and a disk slow."""

    def __init__(self, save: Save, running: Scenario | None = None) -> None:
        self._save = save
        self._running = running

    async def listing(self) -> list[Listed]:
        """The one changed last first."""
        logs = await asyncio.to_thread(_logs, self._save.library)
        found = [*self._scenes(), *logs, *self._shows()]
        return sorted(found, key=lambda story: story.changed, reverse=True)

    async def open(self, place: Place) -> Opened:
        """With pictures. Raises Refused where there is no such story, and ScenarioError for a log that cannot be read."""
        story = await self._open(place)
        pictures = await asyncio.to_thread(_pictures, self._save.library, story)
        return replace(story, chapter=replace(story.chapter, pictures=pictures))

    async def search(self, query: str) -> Searched:
        """A story that cannot be read is passed over. No words are nowhere."""
        if not query.strip():
            return Searched((), True)
        listing = await self.listing()
        bounded, found = list(_bounded(listing)), []
        for listed in bounded:
            with contextlib.suppress(Refused, UserError):
                result = await asyncio.to_thread(search, (await self._open(listed.place)).chapter, query)
                found += [(listed, result)] if result.count else []
        return Searched(tuple(found[:MOST_FOUND]), len(bounded) == len(listing) and len(found) <= MOST_FOUND)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _scenes(self) -> list[Listed]:
        rows = (row for row in self._save.desk.scenes() if row.binned is None)
        return [Listed(Place(scene=r.id), r.title or r.name, r.series, r.name, r.lines, r.changed) for r in rows]

    def _shows(self) -> list[Listed]:
        found = []
        for show, lines, changed in self._save.shows():
            series, name = _split(show)
            found.append(Listed(Place(show=show), name, series, name, lines, changed))
        return found

    async def _open(self, place: Place) -> Opened:
        if place.scene:
            return await self._scene(place.scene)
        if place.show:
            return await self._show(place.show)
        log = await asyncio.to_thread(self._save.library.read_log, place.series, place.name, place.log)
        return Opened(Chapter(log.scenario.name, log), place.series, place.name)

    async def _scene(self, id: str) -> Opened:
        row = self._save.desk.scene(id)
        if row is None or row.binned is not None:
            raise Refused("not_found", "没有这个场景，可能在回收站里。 There is no such scene; it may be in the bin.")
        steps = [step.body for step in self._save.desk.steps(id)]
        return Opened(await asyncio.to_thread(_of_scene, row, steps), row.series, row.name)

    async def _show(self, show: str) -> Opened:
        place, scenario = await asyncio.to_thread(scenario_of, self._save.library, show, self._running)
        lines = aired_lines(self._save, show, scenario.speakers if scenario else ())
        if scenario is None and not lines:
            raise Refused("not_found", f"{show} 还没有播出过。 Nothing of it was aired.")
        return Opened(Chapter(place[1], Log(scenario or Scenario(*place), tuple(lines))), *place)


def _split(show: str) -> tuple[str, str]:
    series, _, name = show.partition("/")
    return series, name


def _of_scene(row: SceneRow, steps: Sequence[str]) -> Chapter:
    """The confirmed lines of the present branch, as they stand after the steps in effect."""
    began, *changes = (STEP.validate_json(body) for body in steps)
    assert isinstance(began, Began), "the first step of every scene"
    story = fold(began, [change for change in changes[: row.position] if isinstance(change, CHANGES)])
    return Chapter(story.title, Log(story.scenario, story.lines), tuple(_headings(story)))


def _headings(story: Story) -> Iterable[Heading]:
    """A checkpoint is the title of what comes after it. It stays where it is when its last line is edited."""
    after = {"": 0}
    for number, line in enumerate(story.lines, start=1):
        after |= {version.id: number for version in (line, *story.older.get(line.id, ()))}
    return (Heading(after[one.line], one.name) for one in story.checkpoints if one.line in after)


def _logs(library: Library) -> list[Listed]:
    return [
        Listed(
            Place(series=kept.series, name=kept.name, log=log.file),
            kept.name,
            kept.series,
            kept.name,
            log.lines,
            log.changed,
        )
        for kept in library.listing()
        for log in kept.logs
        if log.lines is not None
    ]


def _pictures(library: Library, story: Opened) -> dict[str, bytes]:
    """Of those who speak. A scenario that is gone has none."""
    found: dict[str, bytes] = {}
    for person in story.chapter.people:
        with contextlib.suppress(Refused, UserError, OSError):
            if (path := library.avatar(story.series, story.name, person.name)) is not None:
                found[person.name] = path.read_bytes()
    return found


def _bounded(stories: Iterable[Listed]) -> Iterable[Listed]:
    lines = 0
    for number, story in enumerate(stories):
        lines += story.lines
        if number >= MOST_STORIES or lines > MOST_LINES:
            return
        yield story
