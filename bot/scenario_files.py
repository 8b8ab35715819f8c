"""Between files of other programs and the library: keeps what was found in a file, and takes a scenario out as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bot import cards
from bot.cards import writing
from bot.cards.found import Found, Kind, Wishes
from bot.save.library import Library, New


@dataclass(frozen=True, slots=True)
class Shelved:
    """Where something is now. `log`: the file of a log that was added to a scenario that was there, "" otherwise."""

    series: str
    name: str
    log: str = ""


def look(content: bytes, file: str, wishes: Wishes, series: str = "") -> list[Found]:
    """What is in a file, in the series that the person chose, if they did. Raises ScenarioError."""
    found = cards.read(content, file, wishes)
    return [_in_series(one, series.strip()) if series.strip() else one for one in found]


def shelve(library: Library, found: Sequence[Found]) -> list[Shelved]:
    """Keeps all of it or nothing: new folders, and logs with the scenario that they were played from, if it is there."""
    homes = [home_of(library, one) for one in found]
    new = [one for one, home in zip(found, homes, strict=True) if home is None]
    places = iter(library.take_in([New(one.scenario, one.avatars, one.logs, one.place) for one in new]))
    return [
        _join(library, home, one) if home else Shelved(*next(places)) for one, home in zip(found, homes, strict=True)
    ]


def home_of(library: Library, found: Found) -> tuple[str, str] | None:
    """The scenario to which a log that came alone belongs. None: a new one is made for it."""
    return library.find(found.scenario.series, found.scenario.name) if found.kind is Kind.LOG else None


def _join(library: Library, home: tuple[str, str], found: Found) -> Shelved:
    added = [library.add_log(*home, content, file) for file, content in found.logs.items()]
    return Shelved(*home, added[0])


def _in_series(found: Found, series: str) -> Found:
    place = (series, found.place[1]) if found.place else None
    return replace(found, scenario=replace(found.scenario, series=series), place=place)


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of file, and how a scenario becomes one."""

    end: str
    content_type: str
    write: Callable[[Library, str, str], bytes]


def _drama(library: Library, series: str, name: str) -> bytes:
    return writing.drama_file(library.read(series, name).scenario)


def _card(library: Library, series: str, name: str) -> bytes:
    return writing.card_file(library.read(series, name).scenario)


def _picture(library: Library, series: str, name: str) -> bytes:
    pictures = {character: path.read_bytes() for character, path in library.avatars(series, name).items()}
    return writing.card_picture(library.read(series, name).scenario, pictures)


def _zip(library: Library, series: str, name: str) -> bytes:
    return writing.folder_file(series, name, library.contents(series, name))


FORMS = {
    "drama": Form(".json", "application/json", _drama),
    "card": Form(".card.json", "application/json", _card),
    "png": Form(".png", "image/png", _picture),
    "zip": Form(".zip", "application/zip", _zip),
}
