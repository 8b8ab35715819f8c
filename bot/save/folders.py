"""Where the folders of scenarios stand: free places, new folders as a whole, and what is left after moving one."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from bot.errors import Refused
from bot.save import files
from bot.save.catalogue import OTHERS
from bot.save.names import free_name, safe_name, same

_UNFINISHED, _HOUR = ".new-", 3600.0


class Folders:
    """Raises OSError where the disk refuses; the caller says what was to be done."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def place(
        self, series: str, name: str, *, another: bool = False, moved: Path | None = None, also: Collection[Path] = ()
    ) -> Path:
        """Where a scenario of that name is to lie. `moved`: the folder that is to lie there now. `also`: promised ones."""
        parent = self._series(series, also)
        taken = [path.name for path in parent.iterdir() if path != moved] if parent.is_dir() else []
        taken += [path.name for path in also if path.parent == parent]
        wanted = safe_name(name)
        free = free_name(wanted, taken)
        if free != wanted and not another:
            raise Refused("name_taken", f"{parent.name} 里已经有 {wanted}，请换个名字。 That name is taken.")
        return parent / free

    def _series(self, series: str, also: Collection[Path]) -> Path:
        """The series' folder, or where it is to be."""
        wanted = safe_name(series)
        there = [*(self._root.iterdir() if self._root.is_dir() else ()), *{path.parent for path in also}]
        alike = [path for path in there if same(path.name) in (same(series), same(wanted))]
        known = [*files.folders(self._root), *(path.parent for path in also)]
        folders = [path for path in known if path in alike and same(path.name) not in OTHERS]
        if same(wanted) in OTHERS or (alike and not folders):
            raise Refused("name_taken", f"系列不能叫 {wanted}，请换个名字。 A series cannot have that name.")
        return folders[0] if folders else self._root / wanted

    def put(self, folders: Mapping[Path, Mapping[str, bytes]]) -> None:
        """New folders with these files: filled out of sight, then each moved to its place in one step."""
        self._root.mkdir(parents=True, exist_ok=True)
        parts = {target: self._root / f"{_UNFINISHED}{secrets.token_hex(6)}" for target in folders}
        placed: list[Path] = []
        try:
            for target, part in parts.items():
                part.mkdir()
                for file, content in folders[target].items():
                    files.write_new(part / file, content)
                files.sync_folder(part)
            for target, part in parts.items():
                target.parent.mkdir(exist_ok=True)
                part.rename(target)
                placed.append(target)
                files.sync_folder(target.parent)
        except BaseException:
            for folder in (*placed, *parts.values()):
                shutil.rmtree(folder, ignore_errors=True)
            raise

    def tidy(self, left: Path, entered: Path) -> None:
        """After a move: a series without scenarios goes, and both folders are on disk."""
        with contextlib.suppress(OSError):
            left.rmdir()
        for folder in {path for path in (left, entered) if path.is_dir()}:
            files.sync_folder(folder)

    def sweep(self, now: float) -> None:
        """What an interrupted program left half made."""
        for path in self._root.glob(f"{_UNFINISHED}*"):
            with contextlib.suppress(FileNotFoundError):  # another program has just finished it
                if path.stat().st_mtime < now - _HOUR:
                    shutil.rmtree(path, ignore_errors=True)
