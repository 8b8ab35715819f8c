"""What the model's process does: orders into the scheduler, its events and figures out as frames. No pipes here."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import torch

from bot.engine.drafting import Vocabulary
from bot.engine.frames import Frame, prompt_of, sampling_of
from bot.engine.load import load_any
from bot.engine.model import LanguageModel
from bot.engine.scheduling.scheduler import Event, Finished, Grew, Read, Scheduler
from bot.engine.states.disk import Origin, StatesOnDisk
from bot.engine.states.keeping import Keeping
from bot.engine.states.memory import StateCache
from bot.engine.states.model_digest import stamp
from bot.engine.states.tuned import load_tuned
from bot.engine.tokenizer import find_tokenizer

FIGURES_EVERY = 1.0
"""Seconds between two frames of figures while there is work; one more comes when it is done."""

SMALL = 30_000_000
"""Parameters below which one thread is as fast as several, and leaves the other cores to the game."""

Say = Callable[[Frame], None]


class Work:
    """A loaded model and its scheduler. Making one raises ModelError when the model or the strategy cannot work."""

    def __init__(
        self,
        model: Path,
        strategy: str,
        threads: int = 0,
        *,
        keeping: Keeping,
        tuned: Path | None = None,
        notify: Callable[[str], None] = lambda text: None,
    ) -> None:
        """`tuned`: a file of tuned states to begin with. `notify` tells people, from any thread."""
        before = stamp(model)
        loaded: LanguageModel = load_any(model, strategy)
        if tuned is not None:
            loaded = load_tuned(loaded, tuned)
        if threads or loaded.parameters < SMALL:
            torch.set_num_threads(threads or 1)
        self._vocabulary = Vocabulary(find_tokenizer(model, loaded.vocab), loaded.vocab)
        self.strategy, self.why = loaded.about, loaded.why
        self._disk: StatesOnDisk | None = None
        if keeping.disk and before is not None:
            self._disk = StatesOnDisk(keeping, Origin(model, before, loaded.about), loaded, notify)
        self._cache = StateCache(keeping.memory, self._disk)
        self._scheduler = Scheduler(loaded, self._vocabulary, self._cache)
        self._measures = self._scheduler.measures

    def run(self, orders: queue.Queue[Frame], say: Say) -> NoReturn:
        """Works for as long as the process lives."""
        while True:
            self._tell_figures(say)
            self._obey(orders.get(), say)
            self._until_idle(orders, say)

    def _until_idle(self, orders: queue.Queue[Frame], say: Say) -> None:
        self._measures.begin_lap()
        while self._scheduler.busy:
            for event in self._scheduler.step():
                say(_frame(event))
            while not orders.empty():  # this thread alone takes from it
                self._obey(orders.get(), say)
            if self._measures.end_lap(at_least=FIGURES_EVERY):
                self._tell_figures(say)
        self._measures.end_lap()

    def _obey(self, order: Frame, say: Say) -> None:
        answer = order["answer"]
        events: list[Event] = []
        match order["do"]:
            case "cancel":
                self._scheduler.cancel(answer)
            case "count":
                tokens = [len(self._vocabulary.encode(text)) for text in order["texts"]]
                say({"is": "counted", "answer": answer, "tokens": tokens})
            case "read":
                events = self._scheduler.read(answer, prompt_of(order))
            case "drafts":
                events = self._scheduler.submit(answer, prompt_of(order), order["count"], sampling_of(order))
        for event in events:
            say(_frame(event))

    def _tell_figures(self, say: Say) -> None:
        figures = {
            **self._measures.figures(),
            "rows": self._scheduler.rows,
            "queue": self._scheduler.queue,
            "states": len(self._cache),
            "states_bytes": self._cache.nbytes,
            "memory_bytes": _memory_bytes(),
        }
        if self._disk is not None:
            figures |= self._disk.figures
        say({"is": "figures", "figures": figures})


def _frame(event: Event) -> Frame:
    if isinstance(event, Grew):
        return {"is": "grew", "answer": event.answer, "index": event.index, "gained": event.gained}
    if isinstance(event, Finished):
        done = {"answer": event.answer, "index": event.index, "text": event.text, "ending": event.ending}
        return {"is": "finished"} | done
    if isinstance(event, Read):
        return {"is": "read", "answer": event.answer, "left": event.left}
    return {"is": "lost", "answer": event.answer, "message": event.message}


def _memory_bytes() -> int:
    """Resident memory of this process; 0 where the system does not tell."""
    if sys.platform != "linux":
        return 0
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096
