"""A scene as a scenario of its own: what was confirmed is what was said before. The scene stays as it is."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from bot.desk.scene import Scene
from bot.desk.story import Story
from bot.errors import Refused
from bot.save.library import Library
from bot.save.names import free_name
from bot.scenario import Origin, Scenario


def as_scenario(story: Story, series: str, name: str) -> Scenario:
    """Under another name, with the confirmed lines of the present branch as its opening. Its characters stay, and
    whatever else its file said; the program's notices are no part of a story."""
    lines = tuple(line for line in story.lines if line.origin is not Origin.SYSTEM)
    return replace(story.scenario, series=series, name=name, opening=lines)


def write_scenario(library: Library, scene: Scene, series: str = "", name: str = "") -> tuple[str, str]:
    """A new scenario in the library, with the pictures of the old one; returns where it is. `series` "": the scene's.
    `name` "": its title, with a number where that is taken. Raises Refused for a name that is taken, and SaveError."""
    series = series.strip() or scene.series
    name = name.strip() or _free(library, series, scene.story.title or scene.name)
    kept = library.create(as_scenario(scene.story, series, name), avatars=_pictures(library, scene))
    return kept.series, kept.name


def _free(library: Library, series: str, wanted: str) -> str:
    return free_name(wanted, [listed.name for listed in library.listing() if listed.series == series])


def _pictures(library: Library, scene: Scene) -> dict[str, bytes]:
    with contextlib.suppress(Refused):  # the old one may be gone
        return {name: path.read_bytes() for name, path in library.avatars(scene.series, scene.name).items()}
    return {}
