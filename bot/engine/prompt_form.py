"""How lines, what is told beside them, and the cue are written: by name, or as the turns of a chat. Knows no tokens.

By name, as role play is written:           小麦: 话\\n\\n我: 话\\n\\n小麦:
As a chat, as G1 models were trained:       System: 背景\\n\\nUser: 我: 话\\n\\nAssistant: 小麦:

In a chat every turn also names who speaks, since several characters share a role there: those of the User side and
viewers speak as User, everybody else as Assistant, the narrator among them as 旁白. What nobody says (background, notes,
hints) is a turn of System. A cue is written as the line's beginning will be, so the model reads what it wrote itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol

from bot.scenario import NARRATOR, VIEWER, Line, Origin, Scenario, ScenarioError, canonical_name, canonical_text, parse

NARRATION = "旁白"
"""Whose name cues a draft of narration."""

KEY = "PromptForm"

Pieces = tuple[str, ...]
"""Texts that are encoded one by one, so that words never melt into the separator beside them."""


class PromptForm(StrEnum):
    NAME = "name"
    CHAT = "chat"


class Form(Protocol):
    """One way of writing. Nothing is written for what has no words."""

    name: PromptForm

    def line(self, line: Line) -> Pieces: ...

    def told(self, text: str) -> Pieces:
        """What belongs to the story's frame and is said by nobody."""
        ...

    def background(self, text: str) -> Pieces: ...

    def cue(self, character: str, begun: str) -> tuple[Pieces, str]:
        """What stands before the words that are to be written, and their beginning `begun` as it follows there."""
        ...

    def stops(self, names: Iterable[str]) -> tuple[str, ...]:
        """The texts that end a draft."""
        ...


class ByName:
    """`名: 话`; narration is just its words. It is cued by the name 旁白, or by its own beginning where it has one."""

    name = PromptForm.NAME

    def __init__(self, speakers: Iterable[str] = ()) -> None:
        self._speakers = tuple(speakers)

    def line(self, line: Line) -> Pieces:
        name, text = canonical_name(line.character), canonical_text(line.text)
        if not text:
            return ()
        return (text, "\n\n") if name == NARRATOR else (f"{name}:", f" {text}", "\n\n")

    def told(self, text: str) -> Pieces:
        return self.line(Line(NARRATOR, text))

    def background(self, text: str) -> Pieces:
        return pieces_of(self, parse(text, self._speakers))

    def cue(self, character: str, begun: str) -> tuple[Pieces, str]:
        name, begun = canonical_name(character), canonical_text(begun)
        if name == NARRATOR and begun:
            return (), begun
        return (f"{name or NARRATION}:",), f" {begun}" if begun else ""

    def stops(self, names: Iterable[str]) -> tuple[str, ...]:
        return stops(names)


class AsChat:
    """`Role: 名: 话`."""

    name = PromptForm.CHAT

    def __init__(self, users: Iterable[str] = ()) -> None:
        """`users`: the names of those who speak as User, beside viewers."""
        self._users = {VIEWER, *users}

    def line(self, line: Line) -> Pieces:
        text = canonical_text(line.text)
        return (self._opening(canonical_name(line.character)), f" {text}", "\n\n") if text else ()

    def told(self, text: str) -> Pieces:
        text = canonical_text(text)
        return ("System:", f" {text}", "\n\n") if text else ()

    def background(self, text: str) -> Pieces:
        return self.told(text)

    def cue(self, character: str, begun: str) -> tuple[Pieces, str]:
        begun = canonical_text(begun)
        return (self._opening(canonical_name(character)),), f" {begun}" if begun else ""

    def stops(self, names: Iterable[str]) -> tuple[str, ...]:
        return stops((*names, "User", "Assistant", "System"))

    def _opening(self, name: str) -> str:
        return f"{'User' if name in self._users else 'Assistant'}: {name or NARRATION}:"


def form_of(scenario: Scenario, file: str = "场景剧本.json") -> Form:
    """As the scenario wishes, by name where it says nothing. Raises ScenarioError, which names `file`."""
    wanted = scenario.extra.get(KEY, PromptForm.NAME)
    if wanted not in tuple(PromptForm):
        raise ScenarioError(file, KEY, f'应为 "name" 或 "chat"，现为 {wanted!r}。 It is "name" or "chat".')
    if wanted == PromptForm.CHAT:
        return AsChat(one.name for one in scenario.characters if one.side == "User")
    return ByName(scenario.speakers)


def pieces_of(form: Form, lines: Iterable[Line]) -> Pieces:
    """Notices of the program and lines without words are left out."""
    return tuple(piece for line in lines if line.origin is not Origin.SYSTEM for piece in form.line(line))


def stops(names: Iterable[str]) -> tuple[str, ...]:
    """A blank line, or anybody's name and a colon at the beginning of a line."""
    speakers = dict.fromkeys(name for name in map(canonical_name, (*names, VIEWER)) if name)
    return ("\n\n", *(f"\n{name}{colon}" for name in speakers for colon in (":", "：")))
