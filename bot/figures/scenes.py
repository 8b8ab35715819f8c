"""The lines that a person put to paper at the desk, out of the steps of a scene. Steps are the JSON of bot/desk/steps.py."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    waited: float | None


@dataclass(slots=True)
class _Scene:
    """`asked`: when, by the ids of asks. `lines` by the ids that they have now; `pending`: the ids of those that wait, by
    branch."""

    asked: Mapping[str, float]
    branch: str = "main"
    lines: dict[str, _Written] = field(default_factory=dict)
    pending: dict[str, list[str]] = field(default_factory=dict)

    @property
    def waiting(self) -> list[str]:
        return self.pending.setdefault(self.branch, [])

    def waited(self, draft: str, at: float) -> float | None:
        """From the ask that brought a draft to the moment when it was taken; None: it is no draft of a known ask."""
        asked = self.asked.get(ask_of(draft))
        return None if asked is None else max(0.0, at - asked)


def scene_choices(scene: SceneRows, asked: Mapping[str, float]) -> Iterator[Choice]:
    """Every line that was taken from a draft or written, with what has become of it. A step that was undone never was.
    `asked`: when each ask was made, by its id.

    Rejected are pending lines that were deleted or discarded, and confirmed ones that were deleted. A rewind rejects
    nothing: what it leaves is still there, on a branch.
    """
    state = _Scene(asked)
    for at, step in scene.steps:
        if (follow := _FOLLOW.get(step["kind"])) is not None:
            follow(state, at, step)
    for line in state.lines.values():
        hit = line.fate is Fate.TAKEN and line.first
        length = 0 if line.fate is Fate.REJECTED else len(line.text)
        yield Choice(Place.DESK, scene.id, line.character, line.at, line.fate, hit, line.waited, length)


def ask_of(draft: str) -> str:
    """A draft is called after its ask: `ask.0`."""
    return draft.rpartition(".")[0]


def first_of_its_ask(draft: str) -> bool:
    """The desk numbers the drafts of an ask from 0: `ask.0`."""
    return draft.endswith(".0")


def _added(state: _Scene, at: float, step: dict[str, Any]) -> None:
    drafts = step["drafts"] or [""] * len(step["lines"])
    for line, draft in zip(step["lines"], drafts, strict=True):
        fate = _FATES.get(Origin(line["origin"]), Fate.OWN)
        proposed = line["text"] if fate is Fate.TAKEN else None
        state.lines[line["id"]] = _Written(
            line["character"], at, fate, proposed, line["text"], first_of_its_ask(draft), state.waited(draft, at)
        )  # fmt: skip
        state.waiting.append(line["id"])


def _edited(state: _Scene, at: float, step: dict[str, Any]) -> None:
    """The line's id is another from now on. With a draft, the model went on with it: that is a choice of its own."""
    line, text = state.lines.pop(step["line"], None), canonical_text(step["text"])
    if draft := step.get("draft"):
        fate = Fate.TAKEN if step.get("origin") == Origin.MODEL else Fate.EDITED
        proposed = text if fate is Fate.TAKEN else None  # a person had begun it: there is no going back to the draft's
        line = _Written(
            step["character"], at, fate, proposed, text, first_of_its_ask(draft), state.waited(draft, at)
        )  # fmt: skip
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
