"""The figures of one heap of choices and generations: counts, sums, averages, percentiles, shares."""

from __future__ import annotations

from array import array
from collections import Counter
from typing import Any

from bot.figures.choices import Choice, Fate
from bot.figures.spans import Busy, percentile
from bot.save import Generation, Outcome

DECIDED = tuple(fate for fate in Fate if fate is not Fate.WAITING)
JUDGED = (Fate.TAKEN, Fate.EDITED, Fate.REJECTED, Fate.RECALLED)  # a person has read the drafts and decided


class Tally:
    """Adds up in one pass. It keeps eight bytes for each time that was waited, and nothing else of a row."""

    def __init__(self) -> None:
        self._fates: Counter[Fate] = Counter()
        self._outcomes: Counter[Outcome] = Counter()
        self._hits = 0
        self._chosen = 0
        self._waits = array("d")
        self._first_texts = array("d")
        self._busy = Busy()
        self._seconds = 0.0
        self._drafts = 0
        self._written = 0

    def choice(self, choice: Choice) -> None:
        self._fates[choice.fate] += 1
        self._hits += choice.hit
        self._chosen += choice.characters
        if choice.waited is not None:
            self._waits.append(choice.waited)

    def generation(self, generation: Generation) -> None:
        """In the order in which they began."""
        self._outcomes[generation.outcome] += 1
        self._busy.add(generation.at, generation.seconds)
        self._seconds += generation.seconds
        self._drafts += generation.drafts
        self._written += generation.characters
        if generation.first_text is not None:
            self._first_texts.append(generation.first_text)

    def figures(self) -> dict[str, Any]:
        """Times in seconds. An average or a share of nothing is None.

        `engine_seconds`: while the engine worked, requests at the same time counted once. `seconds_per_generation` is
        what one request took, `seconds_per_character` the engine's seconds for each character that it wrote.
        `hit_share`: of all choices on which a person had drafts to decide.
        """
        generations, decided = self._outcomes.total(), sum(self._fates[fate] for fate in DECIDED)
        waits, first_texts = sorted(self._waits), sorted(self._first_texts)
        return {
            "generations": generations,
            **{outcome.value: self._outcomes[outcome] for outcome in Outcome},
            "drafts": self._drafts,
            "characters": self._written,
            "engine_seconds": self._busy.seconds,
            "seconds_per_generation": _ratio(self._seconds, generations),
            "seconds_per_character": _ratio(self._busy.seconds, self._written),
            "characters_per_generation": _ratio(self._written, generations),
            "first_text_p50": percentile(first_texts, 50),
            "first_text_p95": percentile(first_texts, 95),
            "decided": decided,
            **{fate.value: self._fates[fate] for fate in Fate},
            "shares": {fate.value: _ratio(self._fates[fate], decided) for fate in DECIDED},
            "hits": self._hits,
            "hit_share": _ratio(self._hits, sum(self._fates[fate] for fate in JUDGED)),
            "chosen_characters": self._chosen,
            "decide_p50": percentile(waits, 50),
            "decide_p95": percentile(waits, 95),
        }


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None
