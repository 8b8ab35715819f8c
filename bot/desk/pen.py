"""The model's hand at the desk: a person waits for every request, so it goes first, and each is on record."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import replace

from bot.desk.scene import Scene
from bot.engine.types import DraftDone, DraftText, Engine, Prompt, Sampling
from bot.save.generations import Generations, Place


class Pen:
    def __init__(self, engine: Engine, generations: Generations) -> None:
        self._engine = engine
        self._generations = generations

    def drafts(
        self, scene: Scene, character: str, prompt: Prompt, count: int, sampling: Sampling
    ) -> AsyncGenerator[DraftText | DraftDone, None]:
        """The engine's events; closing this ends the request. Raises EngineError."""
        events = self._engine.drafts(replace(prompt, urgent=True), count, sampling)
        return self._generations.watched(events, Place.DESK, scene.id, character, prompt.start_with)
