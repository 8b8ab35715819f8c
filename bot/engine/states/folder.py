"""The folder in which states outlive the process: a file a state, least recently used out. No threads, no model.

    FOLDER/models.json                          digests of model files (`model_digest.py`)
    FOLDER/<space>/<length>-<key>.safetensors   the state after `length` tokens; `key` is a hash of these tokens

A space is everything beside the tokens on which a state depends: model, number format, the state at the beginning.
Several processes may share the folder: files appear whole, are never changed, and may be gone at any moment. The time
of a file is that of its last use. What is not named like this is not ours and is left alone.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path

from torch import Tensor

from bot.engine.states.file import DamagedError, pack, unpack
from bot.engine.states.memory import Place
from bot.engine.states.whole_files import sweep_unfinished, write_whole

_SPACE = re.compile(r"[0-9a-f]{32}")
_FILE = re.compile(r"(\d{1,9})-([0-9a-f]{32})\.safetensors")


class StatesFolder:
    """One space of a folder that holds up to `limit` bytes in all its spaces together."""

    def __init__(self, folder: Path, space: str, limit: int) -> None:
        """`space`: 32 hexadecimal digits."""
        self._folder = folder
        self._space = space
        self._limit = limit

    def places(self) -> set[Place]:
        """What is there just now."""
        try:
            names = os.listdir(self._folder / self._space)
        except FileNotFoundError:
            return set()
        return {Place(int(m[1]), bytes.fromhex(m[2])) for m in map(_FILE.fullmatch, names) if m}

    def read(self, place: Place, at_most: int) -> dict[str, Tensor]:
        """Counts as use. DamagedError if the file is not what it should be, or larger than `at_most` bytes; OSError if it
        cannot be read, or is gone."""
        path = self._path(place)
        if path.stat().st_size > at_most:
            raise DamagedError("too large")
        tensors = unpack(path.read_bytes(), self._key(place))
        with contextlib.suppress(OSError):
            os.utime(path)
        return tensors

    def write(self, place: Place, tensors: dict[str, Tensor]) -> bool:
        """Whether it was written: not if it is there already, or larger than all together may be. OSError: it cannot be."""
        path = self._path(place)
        with contextlib.suppress(FileNotFoundError):
            os.utime(path)
            return False
        data = pack(tensors, self._key(place))
        if len(data) > self._limit:
            return False
        write_whole(path, data)
        return True

    def drop(self, place: Place) -> None:
        """OSError if it cannot be."""
        self._path(place).unlink(missing_ok=True)

    def trim(self) -> int:
        """Down to the limit, and without what killed writers have left. Returns the bytes that are there afterwards."""
        found = sorted(self._files())
        total = sum(size for _, size, _ in found)
        for _, size, path in found:
            if total <= self._limit:
                break
            with contextlib.suppress(OSError):  # another process is reading it
                path.unlink(missing_ok=True)
                total -= size
        return total

    def _files(self) -> list[tuple[int, int, Path]]:
        """Time of last use, size and path of every state of every space."""
        found = []
        for space in self._folder.iterdir():
            if not _SPACE.fullmatch(space.name) or not space.is_dir():
                continue
            sweep_unfinished(space)
            for path in space.iterdir():
                with contextlib.suppress(FileNotFoundError):
                    if _FILE.fullmatch(path.name):
                        facts = path.stat()
                        found.append((facts.st_mtime_ns, facts.st_size, path))
        return found

    def _path(self, place: Place) -> Path:
        return self._folder / self._space / f"{place}.safetensors"

    def _key(self, place: Place) -> str:
        return f"{self._space}/{place}"
