"""Everything that the page shows, in one pass over the rows: in all, over time, by character, by show and scene."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from bot.figures.calendar import Calendar
from bot.figures.choices import Choice
from bot.figures.tally import Tally
from bot.save import Generation

Row = Choice | Generation
Json = dict[str, Any]


class Heaps:
    """A tally for each key that `key` finds."""

    def __init__(self, key: Callable[[Row], Any]) -> None:
        self._key = key
        self._tallies: defaultdict[Any, Tally] = defaultdict(Tally)

    def of(self, row: Row) -> Tally:
        return self._tallies[self._key(row)]

    def figures(self) -> list[tuple[Any, Json]]:
        return [(key, tally.figures()) for key, tally in self._tallies.items()]


def add_up(choices: Iterable[Choice], generations: Iterable[Generation], *heaps: Heaps) -> None:
    """Adds every row to its tally in each of the heaps. Generations come in the order in which they began."""
    for choice in choices:
        for heap in heaps:
            heap.of(choice).choice(choice)
    for generation in generations:
        for heap in heaps:
            heap.of(generation).generation(generation)


def report(
    choices: Iterable[Choice],
    generations: Iterable[Generation],
    calendar: Calendar,
    titles: Mapping[str, str],
) -> Json:
    """`titles`: of scenes, by id. Every bucket between the first and the last one is there, those with nothing too."""
    whole, over_time = Heaps(lambda row: ""), Heaps(lambda row: calendar.bucket(row.at))
    characters = Heaps(lambda row: row.character)
    subjects = Heaps(lambda row: (row.place, row.subject))
    add_up(choices, generations, whole, over_time, characters, subjects)
    return {
        "totals": dict(whole.figures()).get("") or Tally().figures(),
        "bucket": calendar.unit.value,
        "buckets": _in_order(over_time, calendar),
        "characters": [{"name": name, **found} for name, found in sorted(characters.figures(), key=_most)],
        "subjects": [
            {"place": place.value, "name": name, "title": titles.get(name, name), **found}
            for (place, name), found in sorted(subjects.figures(), key=_most)
        ],
    }


def _in_order(over_time: Heaps, calendar: Calendar) -> list[Json]:
    found = dict(over_time.figures())
    names = calendar.between(min(found), max(found)) if found else []
    return [{"start": name, **(found.get(name) or Tally().figures())} for name in names]


def _most(heap: tuple[Any, Json]) -> tuple[int, str]:
    """What there is most of first."""
    key, found = heap
    return -(found["decided"] + found["waiting"] + found["generations"]), str(key)
