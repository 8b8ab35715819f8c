"""The scenarios of a Save/ folder: `<series>/<name>/` with 场景剧本.json, logs and avatars, and the bin.

The folder is the identity; what the file says of its own series and name is a title. A name from outside is looked up
among the folders that are there and never joined to a path, so it can lead nowhere else. Any thread may call.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import shutil
import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from bot.errors import Refused, UserError
from bot.save import files
from bot.save.catalogue import (
    PICTURE_END,
    Catalogue,
    Listed,
    LogFile,
    find_avatar,
    is_scenario,
)
from bot.save.files import disk
from bot.save.folders import Folders
from bot.save.names import avatar_file, free_name
from bot.scenario import (
    LOG_END,
    SCENARIO_FILE,
    Log,
    Scenario,
    decode,
    dump_log,
    dump_scenario,
    parse_log,
    parse_scenario,
)

BIN = ".回收站"

_LOG_NAME = re.compile(rf"\d{{8}}-\d{{4}}(-\d{{1,6}})?{LOG_END}", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Kept:
    """A scenario as it lies in its folder. `digest` is another one as soon as the file is. `changed`: seconds, 1970."""

    series: str
    name: str
    scenario: Scenario
    digest: str
    changed: float


@dataclass(frozen=True, slots=True)
class New:
    """What is to become a folder. `avatars`: PNG by character. `logs`: JSON by file name. `place`: the names of its
    series and folder. None: those that the scenario says."""

    scenario: Scenario
    avatars: Mapping[str, bytes] = field(default_factory=dict)
    logs: Mapping[str, bytes] = field(default_factory=dict)
    place: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Binned:
    """Where it stood, and since when (seconds, 1970) it is in the bin."""

    id: str
    series: str
    name: str
    at: float


class Library:
    """Raises Refused (not_found, stale_revision, name_taken), ScenarioError for what a file says, and SaveError for the
    disk; after any of them nothing has changed."""

    def __init__(self, folder: Path, clock: Callable[[], float] = time.time) -> None:
        self._root = folder
        self._clock = clock
        self._lock = threading.RLock()
        self._catalogue = Catalogue(folder)
        self._folders = Folders(folder)
        self._folders.sweep(clock())

    # -- reading ---------------------------------------------------------------------------------------------------

    def listing(self) -> list[Listed]:
        """Every scenario, by series and name. A file that has not changed is not read again."""
        with self._lock:
            return self._catalogue.listing()

    def read(self, series: str, name: str) -> Kept:
        folder = self.folder(series, name)
        path = files.find_file(folder, SCENARIO_FILE)
        if path is None:
            raise Refused("not_found", f"{series}/{name} 里没有 {SCENARIO_FILE}。 The scenario's file is missing.")
        content = files.read_bytes(path)
        where = f"{folder.parent.name}/{folder.name}/{SCENARIO_FILE}"
        scenario = parse_scenario(decode(content, where), where)
        return Kept(folder.parent.name, folder.name, scenario, _digest(content), path.stat().st_mtime)

    def folder(self, series: str, name: str) -> Path:
        """Where a scenario lies."""
        found = files.find_folder(self._root, series)
        found = found and files.find_folder(found, name)
        if found is None or not is_scenario(found):
            raise Refused("not_found", f"没有剧本 {series}/{name}，可能刚被改名或删除。 There is no such scenario.")
        return found

    def find(self, series: str, name: str) -> tuple[str, str] | None:
        """Where a scenario lies whose folder, or whose file, says that it has these names."""
        listing = self.listing()
        by_title = {(one.scenario.series, one.scenario.name): one for one in listing if one.scenario}
        by_place = {(one.series, one.name): one for one in listing}
        found = by_place.get((series, name)) or by_title.get((series, name))
        return (found.series, found.name) if found else None

    def contents(self, series: str, name: str) -> dict[str, bytes]:
        """Every file of a scenario that means something here: itself, its logs and its pictures."""
        with self._lock:
            found = files.files(self.folder(series, name))
            ours = (path for path in found if path.name == SCENARIO_FILE or path.name.endswith((LOG_END, PICTURE_END)))
            return {path.name: files.read_bytes(path) for path in ours}

    def logs(self, series: str, name: str) -> tuple[LogFile, ...]:
        """The newest name first."""
        with self._lock:
            return self._catalogue.logs(self.folder(series, name))

    def read_log(self, series: str, name: str, file: str) -> Log:
        path = self.log_file(series, name, file)
        return parse_log(decode(files.read_bytes(path), path.name), path.name)

    def log_file(self, series: str, name: str, file: str) -> Path:
        path = files.find_file(self.folder(series, name), file) if file.endswith(LOG_END) else None
        if path is None:
            raise Refused("not_found", f"{series}/{name} 里没有 {file}。 There is no such log.")
        return path

    def avatars(self, series: str, name: str) -> dict[str, Path]:
        """The characters' pictures that there are, by character."""
        kept = self.read(series, name)
        folder = self.folder(series, name)
        found = {character: find_avatar(folder, character) for character in kept.scenario.speakers}
        return {character: path for character, path in found.items() if path is not None}

    def avatar(self, series: str, name: str, character: str) -> Path | None:
        return find_avatar(self.folder(series, name), character)

    # -- changing --------------------------------------------------------------------------------------------------

    def create(
        self,
        scenario: Scenario,
        *,
        avatars: Mapping[str, bytes] | None = None,
        logs: Mapping[str, bytes] | None = None,
    ) -> Kept:
        """A new folder, there as a whole or not at all. Refused where the name is taken."""
        with self._lock, disk("新建剧本"):
            target = self._folders.place(scenario.series, scenario.name)
            self._folders.put({target: _contents(New(scenario, avatars or {}, logs or {}), self._minute())})
        return self.read(target.parent.name, target.name)

    def take_in(self, several: Sequence[New]) -> list[tuple[str, str]]:
        """All of them or none; a number goes after a name that is taken. Returns where they are."""
        with self._lock, disk("导入"):
            folders: dict[Path, Mapping[str, bytes]] = {}
            for new in several:
                place = new.place or (new.scenario.series, new.scenario.name)
                target = self._folders.place(*place, another=True, also=folders)
                folders[target] = _contents(new, self._minute())
            self._folders.put(folders)
            return [(target.parent.name, target.name) for target in folders]

    def edit(self, series: str, name: str, scenario: Scenario, digest: str) -> Kept:
        """Writes `scenario` over the one that was read with this digest."""
        with self._lock:
            if self.read(series, name).digest != digest:
                raise Refused(
                    "stale_revision",
                    "这个剧本在别处改过了，没有保存。请重新打开，再改一次。 It was changed elsewhere and was not saved.",
                )
            with disk("保存剧本"):
                files.replace(self.folder(series, name) / SCENARIO_FILE, dump_scenario(scenario).encode())
            return self.read(series, name)

    def rename(self, series: str, name: str, to_series: str, to_name: str) -> tuple[str, str]:
        """Moves the folder and gives the file the new title. Returns where it is now."""
        with self._lock, disk("改名"):
            source = self.folder(series, name)
            target = self._folders.place(to_series, to_name, moved=source)
            if target != source:
                target.parent.mkdir(exist_ok=True)
                source.rename(target)
                self._folders.tidy(source.parent, target.parent)
            with contextlib.suppress(UserError, Refused):  # a broken file keeps its words, in the new folder
                kept = self.read(target.parent.name, target.name)
                retitled = replace(kept.scenario, series=to_series.strip(), name=to_name.strip())
                if retitled != kept.scenario:
                    files.replace(target / SCENARIO_FILE, dump_scenario(retitled).encode())
            return target.parent.name, target.name

    def duplicate(self, series: str, name: str, to_name: str = "") -> tuple[str, str]:
        """The scenario and its pictures under another name in the same series; its logs stay where they are."""
        with self._lock, disk("复制剧本"):
            kept, source = self.read(series, name), self.folder(series, name)
            copy = replace(kept.scenario, series=kept.series, name=to_name or f"{kept.name} 副本")
            target = self._folders.place(copy.series, copy.name, another=not to_name)
            pictures = {path.name: files.read_bytes(path) for path in files.files(source) if path.suffix == PICTURE_END}
            self._folders.put({target: pictures | {SCENARIO_FILE: dump_scenario(copy).encode()}})
            return target.parent.name, target.name

    def write_log(self, series: str, name: str, log: Log) -> str:
        """A new YYYYMMDD-HHMM_Log.json. Returns its name, which has a number where there was one of this minute."""
        return self.add_log(series, name, dump_log(log).encode())

    def add_log(self, series: str, name: str, content: bytes, file: str = "") -> str:
        """A log that came from elsewhere, under its own name if that is one of a log and free. Returns its name."""
        with self._lock, disk("保存回放"):
            folder = self.folder(series, name)
            free = _log_name(file, self._minute(), {path.name for path in files.files(folder)})
            files.replace(folder / free, content)
            return free

    def write_avatar(self, series: str, name: str, character: str, picture: bytes) -> None:
        """`picture` is a PNG that has been checked; it takes the place of an older one."""
        with self._lock, disk("保存头像"):
            folder = self.folder(series, name)
            if character not in self.read(series, name).scenario.speakers:
                raise Refused("not_found", f"剧本里没有 {character}。请先保存角色。 There is no such character.")
            old = find_avatar(folder, character)
            files.replace(old or folder / avatar_file(character), picture)

    def remove_avatar(self, series: str, name: str, character: str) -> None:
        with self._lock, disk("删除头像"):
            picture = self.avatar(series, name, character)
            if picture is None:
                raise Refused("not_found", f"{character} 没有头像。 There is no such avatar.")
            picture.unlink()

    def rename_avatar(self, series: str, name: str, character: str, to: str) -> None:
        """Follows a character who got another name, where that one has no picture yet."""
        with self._lock, disk("改头像名"):
            folder = self.folder(series, name)
            picture = find_avatar(folder, character)
            if picture is not None and find_avatar(folder, to) is None:
                picture.rename(folder / avatar_file(to))

    # -- the bin ---------------------------------------------------------------------------------------------------

    def discard(self, series: str, name: str) -> str:
        """Into the bin, logs and pictures with it. Returns what `restore` wants to know."""
        with self._lock, disk("放进回收站"):
            source, bin = self.folder(series, name), self._root / BIN
            bin.mkdir(exist_ok=True)
            stamp = f"{datetime.fromtimestamp(self._clock()):%Y%m%d-%H%M%S}"
            id = free_name(stamp, (path.name for path in files.folders(bin)))
            target = bin / id / source.parent.name / source.name
            target.parent.mkdir(parents=True)
            source.rename(target)
            self._folders.tidy(source.parent, target.parent)
            return id

    def binned(self) -> list[Binned]:
        """The latest first."""
        with self._lock:
            found = [
                Binned(entry.name, series.name, name.name, entry.stat().st_mtime)
                for entry in files.folders(self._root / BIN)
                for series in files.folders(entry)
                for name in files.folders(series)
            ]
        return sorted(found, key=lambda one: one.id, reverse=True)

    def restore(self, id: str) -> tuple[str, str]:
        """Back to its series, with a number after its name where that is taken by now. Returns where it is."""
        with self._lock, disk("从回收站取回"):
            entry = self._binned(id)
            found = next(name for series in files.folders(entry) for name in files.folders(series))
            target = self._folders.place(found.parent.name, found.name, another=True)
            target.parent.mkdir(exist_ok=True)
            found.rename(target)
            files.sync_folder(target.parent)
            shutil.rmtree(entry)
            return target.parent.name, target.name

    def empty(self, ids: tuple[str, ...] | None = None) -> int:
        """Deletes these for good, or everything in the bin. Returns how many."""
        with self._lock, disk("清空回收站"):
            gone = [entry.name for entry in files.folders(self._root / BIN)] if ids is None else list(ids)
            for entry in [self._binned(id) for id in gone]:
                shutil.rmtree(entry)
            return len(gone)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _minute(self) -> str:
        return f"{datetime.fromtimestamp(self._clock()):%Y%m%d-%H%M}"

    def _binned(self, id: str) -> Path:
        found = files.find_folder(self._root / BIN, id)
        if found is None:
            raise Refused("not_found", "回收站里没有这一项，可能已经取回或清空。 It is not in the bin any more.")
        return found


def _contents(new: New, minute: str) -> dict[str, bytes]:
    """The files of a new folder."""
    contents = {SCENARIO_FILE: dump_scenario(new.scenario).encode()}
    for character, picture in new.avatars.items():
        contents[avatar_file(character)] = picture
    for file, log in new.logs.items():
        contents[_log_name(file, minute, contents)] = log
    return contents


def _log_name(wanted: str, minute: str, taken: Collection[str]) -> str:
    """A free name of a log: `wanted` if it is one, else by the minute."""
    stem = wanted.removesuffix(LOG_END) if _LOG_NAME.fullmatch(wanted) else minute
    names = (f"{stem}{LOG_END}", *(f"{stem}-{number}{LOG_END}" for number in range(2, 10_000)))
    return next(one for one in names if one not in taken)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]
