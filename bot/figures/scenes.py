"""The lines that a person put to paper at the desk, out of the steps of a scene. Steps are the JSON of bot/desk/steps.py."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.figures.choices import Choice, Fate
from bot.save import Place
from bot.save.ledger import SceneRows
from bot.scenario import Origin, canonical_name, canonical_text

_FATES = {Origin.MODEL: Fate.TAKEN, Origin.EDITED: Fate.EDITED, Origin.PERSON: Fate.OWN}


@dataclass(slots=True)
class _Written:
    """A line from the moment on that it stood among the pending ones."""

    character: str
    at: float
    fate: Fate
    proposed: str | None  # the draft's own words, where they are known
    text: str
    first: bool


@dataclass(slots=True)
class _Scene:
    """`lines` by the ids that they have now; `pending`: the ids of those that wait, by branch."""

    branch: str = "main"
    lines: dict[str, _Written] = field(default_factory=dict)
    pending: dict[str, list[str]] = field(default_factory=dict)

    @property
    def waiting(self) -> list[str]:
        return self.pending.setdefault(self.branch, [])


def scene_choices(scene: SceneRows) -> Iterator[Choice]:
    """Every line that was taken from a draft or written, with what has become of it. A step that was undone never was.

    Rejected are pending lines that were deleted or discarded, and confirmed ones that were deleted. A rewind rejects
    nothing: what it leaves is still there, on a branch.
    """
    state = _Scene()
    for at, step in scene.steps:
        if (follow := _FOLLOW.get(step["kind"])) is not None:
            follow(state, at, step)
    for line in state.lines.values():
        hit = line.fate is Fate.TAKEN and line.first
        length = 0 if line.fate is Fate.REJECTED else len(line.text)
        yield Choice(Place.DESK, scene.id, line.character, line.at, line.fate, hit, None, length)


def first_of_its_ask(draft: str) -> bool:
    """The desk numbers the drafts of an ask from 0: `ask.0`."""
    return draft.endswith(".0")


def _added(state: _Scene, at: float, step: dict[str, Any]) -> None:
    drafts = step["drafts"] or [""] * len(step["lines"])
    for line, draft in zip(step["lines"], drafts, strict=True):
        fate = _FATES.get(Origin(line["origin"]), Fate.OWN)
        proposed = line["text"] if fate is Fate.TAKEN else None
        state.lines[line["id"]] = _Written(
            line["character"], at, fate, proposed, line["text"], first_of_its_ask(draft)
        )  # fmt: skip
        state.waiting.append(line["id"])


def _edited(state: _Scene, at: float, step: dict[str, Any]) -> None:
    """The line's id is another from now on. With a draft, the model went on with it: that is a choice of its own."""
    line, text = state.lines.pop(step["line"], None), canonical_text(step["text"])
    if draft := step.get("draft"):
        fate = Fate.TAKEN if step.get("origin") == Origin.MODEL else Fate.EDITED
        proposed = text if fate is Fate.TAKEN else None  # a person had begun it: there is no going back to the draft's
        line = _Written(step["character"], at, fate, proposed, text, first_of_its_ask(draft))
    if line is None:  # a line of the opening, or of the time before the desk
        return
    line.text, line.character = text, canonical_name(step["character"])
    if line.fate in (Fate.TAKEN, Fate.EDITED) and line.proposed is not None:
        line.fate = Fate.TAKEN if line.text == line.proposed else Fate.EDITED
    state.lines[step["id"]] = line
    state.pending = {
        branch: [step["id"] if id == step["line"] else id for id in ids] for branch, ids in state.pending.items()
    }


def _deleted(state: _Scene, at: float, step: dict[str, Any]) -> None:
    _reject(state, [step["line"]])


def _discarded(state: _Scene, at: float, step: dict[str, Any]) -> None:
    _reject(state, state.waiting)
    state.waiting.clear()


def _confirmed(state: _Scene, at: float, step: dict[str, Any]) -> None:
    state.waiting.clear()


def _rewound(state: _Scene, at: float, step: dict[str, Any]) -> None:
    """What was pending waits on the new branch, if there is one; the step does not say, and it does not matter."""
    state.pending[step["id"]] = list(state.waiting)
    state.waiting.clear()


def _branched(state: _Scene, at: float, step: dict[str, Any]) -> None:
    state.branch = step["id"]


def _switched(state: _Scene, at: float, step: dict[str, Any]) -> None:
    state.branch = step["branch"]


def _reject(state: _Scene, ids: list[str]) -> None:
    for id in ids:
        if id in state.lines:
            state.lines[id].fate = Fate.REJECTED


_FOLLOW = {
    "added": _added,
    "edited": _edited,
    "deleted": _deleted,
    "discarded": _discarded,
    "confirmed": _confirmed,
    "rewound": _rewound,
    "branched": _branched,
    "switched": _switched,
}
