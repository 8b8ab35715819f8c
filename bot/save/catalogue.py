"""What scenarios there are in a Save/ folder, read again only where a file has changed. Broken ones are listed too."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from bot.errors import UserError
from bot.save import files
from bot.save.errors import SaveError
from bot.save.names import NoName, avatar_file, same
from bot.scenario import LOG_END, SCENARIO_FILE, Scenario, ScenarioError, decode, parse_log, parse_scenario, read_json

PICTURE_END = ".png"
OTHERS = ("recordings",)  # folders of Save/ that are no series

T = TypeVar("T")
Files = Mapping[str, Path]  # of one folder, by name


@dataclass(frozen=True, slots=True)
class LogFile:
    """`lines` None: it cannot be read, and `problem` says why. `changed`: seconds since 1970."""

    file: str
    lines: int | None
    changed: float
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A scenario in the list. `scenario` None: its file cannot be read, and `problem` says why."""

    series: str
    name: str
    scenario: Scenario | None
    avatars: frozenset[str]
    logs: tuple[LogFile, ...]
    changed: float
    problem: str = ""


class Catalogue:
    """One thread at a time."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._known: dict[Path, tuple[tuple[int, int], Any]] = {}  # by the file's time and size

    def listing(self) -> list[Listed]:
        """By series and name. A log is only counted: what is wrong with a line of it is told when it is opened."""
        return [self._listed(folder, inside) for folder, inside in self._scenarios()]

    def logs(self, folder: Path) -> tuple[LogFile, ...]:
        """The newest name first."""
        return self._logs(_files(folder))

    def _scenarios(self) -> Iterator[tuple[Path, Files]]:
        for series in files.folders(self._root):
            for folder in files.folders(series) if same(series.name) not in OTHERS else ():
                inside = _files(folder)
                if _means_something(inside):
                    yield folder, inside

    def _listed(self, folder: Path, inside: Files) -> Listed:
        path, place = inside.get(SCENARIO_FILE), (folder.parent.name, folder.name)
        scenario = self._once(path, parse_scenario) if path else _missing(*place)
        changed, logs = _changed(path or folder), self._logs(inside)
        if isinstance(scenario, UserError):
            return Listed(*place, None, frozenset(), logs, changed, str(scenario))
        seen = frozenset(name for name in scenario.speakers if any(one in inside for one in _avatar_files(name)))
        return Listed(*place, scenario, seen, logs, changed)

    def _logs(self, inside: Files) -> tuple[LogFile, ...]:
        names = [name for name in inside if name.endswith(LOG_END)]
        names.sort(key=lambda name: name.removesuffix(LOG_END), reverse=True)
        return tuple(self._log(inside[name]) for name in names)

    def _log(self, path: Path) -> LogFile:
        lines, changed = self._once(path, _count), _changed(path)
        if isinstance(lines, UserError):
            return LogFile(path.name, None, changed, str(lines))
        return LogFile(path.name, lines, changed)

    def _once(self, path: Path, parse: Callable[[str, str], T]) -> T | UserError:
        """What a file says, or why it cannot be read; again only when its time or size has changed."""
        try:
            state = path.stat()
            stamp = (state.st_mtime_ns, state.st_size)
        except OSError as error:  # gone since it was seen
            return SaveError(f"读不了 {path.name}（{error.strerror}）。 The file cannot be read.")
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            try:
                found: T | UserError = parse(decode(files.read_bytes(path), path.name), path.name)
            except (ScenarioError, SaveError) as error:
                found = error
            known = self._known[path] = (stamp, found)
        result: T | UserError = known[1]
        return result


def is_scenario(folder: Path) -> bool:
    return _means_something(_files(folder))


def find_avatar(folder: Path, character: str) -> Path | None:
    """A character's picture in a scenario's folder."""
    found = (files.find_file(folder, name) for name in _avatar_files(character))
    return next((path for path in found if path is not None), None)


def _avatar_files(character: str) -> Collection[str]:
    """As RWKV-Drama would name it, and as a file can be named."""
    names = [f"{character}{PICTURE_END}"]
    with contextlib.suppress(NoName):
        names.append(avatar_file(character))
    return names


def _files(folder: Path) -> Files:
    return {path.name: path for path in files.files(folder)}


def _means_something(inside: Files) -> bool:
    return SCENARIO_FILE in inside or any(name.endswith(LOG_END) for name in inside)


def _count(text: str, file: str) -> int:
    """The lines of a log."""
    match read_json(text, file):
        case {"Scenario": dict(), "Chat": list(lines)}:
            return len(lines)
    return len(parse_log(text, file).lines)  # which says what is wrong with it


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:  # gone since it was seen
        return 0.0


def _missing(series: str, name: str) -> ScenarioError:
    return ScenarioError(f"{series}/{name}/{SCENARIO_FILE}", "", "没有这个文件。请从回放里导入剧本，或补上它。")
