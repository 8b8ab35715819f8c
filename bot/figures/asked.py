"""A question about the record, and its answer: as JSON for the page, as a table for a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain

from bot.errors import UserError
from bot.figures.calendar import Calendar, day_bounds, fitting
from bot.figures.choices import Choice, card_choice
from bot.figures.pairs import card_pairs, scene_pairs
from bot.figures.report import Json, report
from bot.figures.scenes import scene_choices
from bot.figures.table import table
from bot.save import Generation, Place
from bot.save.ledger import MOST, Ledger


@dataclass(frozen=True, slots=True)
class Asked:
    """`first` and `last` are days, both counted, as this machine's clock is set; None: from the beginning, to the end.
    `place` None: show and desk."""

    first: date | None = None
    last: date | None = None
    place: Place | None = None

    @classmethod
    def of(cls, first: str, last: str, place: str) -> Asked:
        """From an address: days as 2026-11-23, "" for none. Raises UserError."""
        asked = cls(_day("from", first), _day("to", last), _place(place))
        if asked.first and asked.last and asked.first > asked.last:
            raise UserError(
                f"from（{first}）晚于 to（{last}）。请把两个日期对调。 The range ends before it begins: swap the days."
            )
        return asked

    def figures(self, ledger: Ledger) -> Json:
        found = report(self._choices(ledger), self._generations(ledger), self._calendar(ledger), ledger.titles())
        days = {"from": _text(self.first), "to": _text(self.last), "place": self.place and self.place.value}
        return {**days, **found}

    def table(self, ledger: Ledger) -> str:
        return table(self._choices(ledger), self._generations(ledger), self._calendar(ledger), ledger.titles())

    def pairs(self, ledger: Ledger) -> Iterator[Json]:
        """Preferences, a line each in the end."""
        start, end = self._bounds()
        cards = card_pairs(ledger.cards(start, end)) if self.place is not Place.DESK else ()
        scenes = ledger.scenes(start, end) if self.place is not Place.SHOW else ()
        lines = (pair for scene in scenes for pair in scene_pairs(scene, ledger.asks(scene.id)))
        return chain(cards, (pair for pair in lines if start <= pair["at"] < end))

    # -- inside ----------------------------------------------------------------------------------------------------

    def _bounds(self) -> tuple[float, float]:
        start = day_bounds(self.first, self.first)[0] if self.first else 0.0
        return start, day_bounds(self.last, self.last)[1] if self.last else MOST

    def _calendar(self, ledger: Ledger) -> Calendar:
        """Hours, days or months, whatever suits the time from which there is something."""
        (start, end), extent = self._bounds(), ledger.extent()
        first, last = extent or (start, start)
        return Calendar(fitting(max(start, first), min(end, last)))

    def _choices(self, ledger: Ledger) -> Iterator[Choice]:
        start, end = self._bounds()
        cards = map(card_choice, ledger.cards(start, end)) if self.place is not Place.DESK else ()
        scenes = ledger.scenes(start, end) if self.place is not Place.SHOW else ()
        lines = chain.from_iterable(scene_choices(scene, ledger.asked(scene.id)) for scene in scenes)
        return chain(cards, (line for line in lines if start <= line.at < end))

    def _generations(self, ledger: Ledger) -> Iterator[Generation]:
        return (one for one in ledger.generations(*self._bounds()) if self.place in (None, one.place))


def _day(name: str, text: str) -> date | None:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").date() if text else None
        if day is not None:
            day_bounds(day, day)  # the first and the last day of the calendar are no times
        return day
    except (ValueError, OverflowError):
        raise UserError(
            f"{name}：应为日期，写成 2026-11-23，现为 {text[:40]!r}。 Write a day like 2026-11-23."
        ) from None


def _place(text: str) -> Place | None:
    try:
        return Place(text) if text else None
    except ValueError:
        raise UserError(
            f"place：应为 show 或 desk，现为 {text[:40]!r}。 Write show or desk, or nothing for both."
        ) from None


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
