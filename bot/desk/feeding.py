"""From a story to what the model reads: which lore is active, which lines are told after a refresh, how long it all is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot.desk.length import TokenCounts
from bot.desk.lorebook import Lore, active, lorebook_of
from bot.desk.story import Story
from bot.engine.scene_prompt import Cue, Fed, Label, Part, SceneText, scene_prompt
from bot.engine.types import Counted, Engine
from bot.errors import Refused
from bot.scenario import canonical_text


@dataclass(frozen=True, slots=True)
class Shown:
    """One of the parts that are fed, as people look at them: those of one kind that stand together are one."""

    label: Label
    name: str
    text: str
    tokens: int


class Feeding:
    """Token counts come from the engine, each once."""

    def __init__(self, engine: Engine) -> None:
        self._counts = TokenCounts(engine)

    async def lore(self, story: Story) -> Lore:
        """What of the lorebook is active at the story's end. Raises ScenarioError where the book cannot be read."""
        book = lorebook_of(story.scenario)
        texts = [canonical_text(entry.text) for entry in book.entries]
        counted = await self._counts.of(texts)
        return active(book, story.here.everything, dict(zip(texts, counted.tokens, strict=True)).__getitem__)

    async def fed(self, story: Story, cue: Cue, continued: str = "") -> Fed:
        """What is read before these words are written. Raises ScenarioError.

        `continued`: the id of a line that is to be gone on with; only what stands before it is read, and the draft
        begins with its words, in place of the cue's. Refused, where there is no such line.
        """
        lore = await self.lore(story)
        if continued:
            line = story.find(continued)
            cue = Cue(line.character, line.text, cue.hint)
        return scene_prompt(scene_text(story, lore, before=continued), cue)

    async def to_summarise(self, story: Story, last: int, cue: Cue) -> Fed:
        """What is read before all confirmed lines but the `last` are summed up. Refused, where they are told already or
        there are none."""
        end = len(story.lines) - last
        if end <= (refreshed_from(story) or 0):
            raise Refused(
                "nothing",
                "这几条之前没有要概括的剧情。少留几条，或先写下去。"
                " Nothing before these lines is left to sum up: keep fewer of them, or write on.",
            )
        scene = replace(scene_text(story, await self.lore(story)), lines=story.lines[:end], pending=(), note="")
        return scene_prompt(scene, cue)

    async def count(self, fed: Fed) -> Counted:
        """Of each part."""
        pieces = [piece for part in fed.parts for piece in part.pieces]
        counted = await self._counts.of(pieces)
        left = iter(counted.tokens)
        return Counted(tuple(sum(next(left) for _ in part.pieces) for part in fed.parts), counted.exact)

    async def shown(self, fed: Fed) -> tuple[list[Shown], bool]:
        """The parts for people, and whether their tokens are counted exactly."""
        counted = await self.count(fed)
        return _together(fed.parts, counted.tokens), counted.exact


def scene_text(story: Story, lore: Lore, before: str = "") -> SceneText:
    """The scene as it is told now. `before`: only what stands before the line with this id."""
    lines, pending = story.lines, story.pending
    if before:
        ids = [line.id for line in story.here.everything]
        at = ids.index(before)
        lines, pending = lines[:at], pending[: max(0, at - len(lines))]
    first = refreshed_from(story)
    return SceneText(
        story.scenario,
        lines,
        pending,
        present=story.present,
        lore=tuple((told.entry.name, told.entry.text) for told in lore.active),
        note=story.note.text,
        depth=story.note.depth,
        summary=story.refresh.summary if story.refresh is not None and first is not None else None,
        first=first or 0,
    )


def refreshed_from(story: Story) -> int | None:
    """The number of the first line that is told after a refresh. None: there was none, or none of this way of the story:
    its summary would tell what has not happened here."""
    if story.refresh is None:
        return None
    since = story.refresh.since
    place = 0
    if since:
        ids = [{line.id, *(older.id for older in story.older.get(line.id, ()))} for line in story.lines]
        place = next((number for number, known in enumerate(ids, start=1) if since in known), 0)
        if not place:
            return None
    return max(0, place - story.refresh.last)


def _together(parts: Sequence[Part], tokens: Sequence[int]) -> list[Shown]:
    shown: list[Shown] = []
    for part, count in zip(parts, tokens, strict=True):
        name = part.name if part.label in (Label.CHARACTER, Label.LORE, Label.CUE) else ""
        last = shown[-1] if shown else None
        if last is not None and last.label is part.label and last.name == name:
            shown[-1] = Shown(part.label, name, last.text + part.text, last.tokens + count)
        else:
            shown.append(Shown(part.label, name, part.text, count))
    return shown
