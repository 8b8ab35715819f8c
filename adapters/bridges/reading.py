"""How the two websockets read what a peer sends: our own frames, or a bridge's by a mapping. No I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from adapters.bridges.mapping import Outcome, Passed, Rules
from adapters.bridges.presets import PRESETS, Preset
from adapters.wire import FrameError, event_from_frame, read_frame

_OUR_ANSWERS = {"error", "reply", "recall"}  # a peer that speaks our side of the protocol is not answered


@dataclass(frozen=True, slots=True)
class Answer:
    """What the peer wants to hear at once."""

    text: str


class Reading(Protocol):
    """`tells`: whether whoever sent a bad frame is told what to write. `pings`: whether it may be pinged."""

    tells: bool
    pings: bool

    def read(self, data: str | bytes, platform: str, now: float) -> Iterable[Outcome | Answer]:
        """What a frame holds. Raises nothing."""
        ...


class OurFrames:
    """The frames of docs/adapters.md."""

    tells = True
    pings = True

    def read(self, data: str | bytes, platform: str, now: float) -> Iterator[Outcome]:
        try:
            frame = read_frame(data)
            kind = frame.get("type")
            ours = isinstance(kind, str) and kind in _OUR_ANSWERS
            yield Passed("ignored") if ours else event_from_frame(frame, platform, now)
        except FrameError as error:
            yield error


class Bridge:
    """Another program's frames. It hears nothing but the answers that its preset knows of."""

    tells = False

    def __init__(self, preset: Preset) -> None:
        self.pings = preset.pings
        self._answer = preset.answer
        self._rules = Rules(preset.mapping)

    def read(self, data: str | bytes, platform: str, now: float) -> Iterator[Outcome | Answer]:
        if self._answer is not None and len(data) < 200 and (said := self._said(data)):
            yield said
        yield from self._rules.read(data, platform, now)

    def _said(self, data: str | bytes) -> Answer | None:
        """A frame that wants an answer is a short one, so that only short ones are read twice."""
        assert self._answer is not None
        try:
            said = self._answer(read_frame(data))
        except FrameError:
            return None
        return Answer(json.dumps(said)) if said is not None else None


def reading(preset: str = "", mapping: Mapping[str, Any] | None = None) -> Reading:
    """The preset of that name, or a mapping of the user's own; neither: our own frames."""
    if mapping:
        return Bridge(Preset("", dict(mapping)))
    return Bridge(PRESETS[preset]) if preset else OurFrames()


def platform_of(preset: str, default: str) -> str:
    """Where a preset's viewers are."""
    return PRESETS[preset].platform if preset else default
