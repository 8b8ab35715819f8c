"""What a scene at the desk feeds: labelled parts, and the prompt that they make. Knows no tokens, no desk and no model.

    background · opening or summary · story … · setting · … the last lines, the author's note among them · pending · hint · cue

Reading is what costs, and only a beginning that was read before is free. So what changes stands late: the setting (the
notes of those present, then active lore) `SETTING_DEPTH` lines before the end of the confirmed story, where the model
also minds it most. It moves in jumps, so that between two of them a turn adds to the text and changes nothing before;
before it stands nothing but background and story, which every turn, branch and rewind has in common. The author's note
is short and stands exactly at its depth.

`keep` asks for states after the head, along the common story, before whatever moves, and at its end. Along the story
they are sparse (`STRIDE` characters) and at its end dense; where memory is short, the cache thins them out (see
`states/memory.py`). They lie where the text alone puts them, so that a longer story asks for the same ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bot.engine.prompt_form import NARRATION, Form, Pieces, PromptForm, form_of
from bot.engine.types import Prompt
from bot.scenario import Line, Origin, Scenario, canonical_text

SETTING_DEPTH = 8
"""Lines. The setting stands so many to twice as many, less one, before the end of the confirmed story."""

STRIDE = 800
"""Characters, about as many tokens: what a rewind into the middle reads again at most, beside the setting's depth."""

DENSE = 4
"""How many of the last places where the setting stood or could stand have their states kept anyway."""


class Label(StrEnum):
    """What a part is, for people who look at what is fed."""

    BACKGROUND = "background"
    OPENING = "opening"
    SUMMARY = "summary"
    STORY = "story"
    CHARACTER = "character"
    LORE = "lore"
    NOTE = "note"
    PENDING = "pending"
    HINT = "hint"
    CUE = "cue"


@dataclass(frozen=True, slots=True)
class Part:
    """`name`: whose note, which entry of the lorebook, or who speaks; "" where there is none."""

    label: Label
    pieces: Pieces
    name: str = ""

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class SceneText:
    """A scene as far as it is told. `lines`: the confirmed ones, opening included.

    `present`: whose notes are told. `lore`: names and texts of the active entries, in the order of the book. `note`: the
    author's, told `depth` lines before the end, pending ones counted. `summary` None: everything is told; else it stands
    in place of the lines before number `first`.
    """

    scenario: Scenario
    lines: Sequence[Line]
    pending: Sequence[Line] = ()
    present: tuple[str, ...] = ()
    lore: tuple[tuple[str, str], ...] = ()
    note: str = ""
    depth: int = 0
    summary: str | None = None
    first: int = 0


@dataclass(frozen=True, slots=True)
class Cue:
    """Whose words are wanted (NARRATOR: narration), how they begin, and a stage direction for them."""

    character: str
    start_with: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Fed:
    """Everything that the model reads, part by part, and the prompt that says so to an engine."""

    parts: tuple[Part, ...]
    form: PromptForm
    prompt: Prompt


def scene_prompt(scene: SceneText, cue: Cue) -> Fed:
    """Raises ScenarioError where the scenario's prompt form is none.

    Guidance leads away from what would be said after the last line alone.
    """
    form = form_of(scene.scenario)
    told = _Told()
    last = _tell(told, form, scene)
    hint = Part(Label.HINT, form.told(cue.hint))
    pieces, start_with = form.cue(cue.character, cue.start_with)
    told.add(hint)
    told.add(Part(Label.CUE, pieces, cue.character))
    return Fed(
        tuple(told.parts),
        form.name,
        Prompt(
            parts=tuple(told.pieces),
            stops=form.stops(_names(scene, cue)),
            start_with=start_with,
            keep=tuple(told.kept),
            against=(*last, *hint.pieces, *pieces),
        ),
    )


@dataclass(slots=True)
class _Told:
    """What is told so far, and where states are kept."""

    parts: list[Part] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    kept: dict[int, None] = field(default_factory=dict)

    def add(self, part: Part) -> None:
        if part.pieces:
            self.parts.append(part)
            self.pieces += part.pieces

    def keep(self) -> None:
        if self.pieces:
            self.kept[len(self.pieces)] = None


def _tell(told: _Told, form: Form, scene: SceneText) -> Pieces:
    """All but hint and cue. Returns the last line."""
    told.add(Part(Label.BACKGROUND, form.background(scene.scenario.background)))
    if scene.summary is not None:
        told.add(Part(Label.SUMMARY, form.told(scene.summary)))
    lines = _lines(form, scene)
    opening = sum(part.label is Label.OPENING for part in lines)
    confirmed = sum(part.label is not Label.PENDING for part in lines)
    setting = opening + _jumped(confirmed - opening)
    note = max(0, len(lines) - scene.depth)
    kept = {opening, setting, note, confirmed, *_along(lines, opening, min(setting, note))}
    for place in range(len(lines) + 1):
        if place in kept:
            told.keep()
        if place == setting:
            for part in _setting(form, scene):
                told.add(part)
        if place == note:
            told.add(Part(Label.NOTE, form.told(scene.note)))
        if place < len(lines):
            told.add(lines[place])
    told.keep()
    return lines[-1].pieces if lines else ()


def _lines(form: Form, scene: SceneText) -> list[Part]:
    """Those that are fed. The opening is what stands before the first line that is none, if nothing is left out."""
    first = scene.first if scene.summary is not None else 0
    lines = [(Label.STORY, line) for line in scene.lines[first:]] + [(Label.PENDING, line) for line in scene.pending]
    parts = []
    opening = scene.summary is None
    for label, line in lines:
        if line.origin is Origin.SYSTEM:
            continue
        opening = opening and line.origin is Origin.OPENING
        if pieces := form.line(line):
            parts.append(Part(Label.OPENING if opening else label, pieces, line.character))
    return parts


def _jumped(lines: int) -> int:
    """The place of the setting among so many lines."""
    return max(0, (lines - SETTING_DEPTH) // SETTING_DEPTH * SETTING_DEPTH)


def _along(lines: Sequence[Part], begin: int, end: int) -> Iterator[int]:
    """Where states of the common story are kept: a place where the setting may come to stand, once in `STRIDE`
    characters, and each of the last."""
    size = 0
    for place in range(begin + SETTING_DEPTH, end + 1, SETTING_DEPTH):
        before = size
        size += sum(len(part.text) for part in lines[place - SETTING_DEPTH : place])
        if size // STRIDE > before // STRIDE or place > end - DENSE * SETTING_DEPTH:
            yield place


def _setting(form: Form, scene: SceneText) -> Iterator[Part]:
    notes = {one.name: one.extra.get("Note") for one in scene.scenario.characters}
    for name in scene.present:
        if isinstance(note := notes.get(name), str) and canonical_text(note):
            yield Part(Label.CHARACTER, form.told(f"【{name}】{canonical_text(note)}"), name)
    for name, text in scene.lore:
        yield Part(Label.LORE, form.told(text), name)


def _names(scene: SceneText, cue: Cue) -> tuple[str, ...]:
    """Everybody who could go on speaking."""
    said = dict.fromkeys(line.character for line in (*scene.lines, *scene.pending) if line.origin is not Origin.SYSTEM)
    return (*scene.scenario.speakers, *scene.present, cue.character, *said, NARRATION)
