"""A file on its way: `NAME.part` grows beside a note of what it will be, and takes its name only when it is whole.

One program at a time has it. Knows nothing of the network.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from bot.errors import UserError


@dataclass(frozen=True, slots=True)
class Note:
    """What the bytes that are here belong to. "" where the server did not tell. `etag` is valid at `source` only."""

    size: int
    sha256: str = ""
    etag: str = ""
    source: str = ""


class PartFile:
    """Use as a context manager. `have` bytes are here; `note` is None when nothing is, or nothing that one can use."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(target.name + ".part")
        self._note_path = target.with_name(target.name + ".part.json")
        self.have = 0
        self.note: Note | None = None

    def __enter__(self) -> Self:
        self.target.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = self.path.open("ab")
        try:
            _lock(self._file)
            if not os.path.samestat(os.fstat(self._file.fileno()), self.path.stat()):
                raise BlockingIOError("the other program has just finished")  # this is its file: never write to it
        except OSError as error:
            self._file.close()
            raise UserError(
                f"另一个程序正在下载 {self.target.name}。请等它下完。 / Another program is downloading this file."
            ) from error
        self.have = self._file.seek(0, os.SEEK_END)
        self.note = self._read_note()
        if self.note is None or self.have > self.note.size:
            self.discard()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()
        if not self.have:  # nothing that could be used later
            self.path.unlink(missing_ok=True)
            self._note_path.unlink(missing_ok=True)

    def begin(self, note: Note) -> None:
        """From the first byte, for a file that `note` describes."""
        self.discard()
        self.remember(note)

    def remember(self, note: Note) -> None:
        fresh = self._note_path.with_name(self._note_path.name + ".new")
        fresh.write_text(json.dumps(asdict(note)), "utf-8")
        os.replace(fresh, self._note_path)
        self.note = note

    def write(self, data: bytes) -> None:
        self._file.write(data)
        self.have += len(data)

    def flush(self) -> None:
        self._file.flush()

    def discard(self) -> None:
        """What is here is of no use."""
        self._file.truncate(0)
        self._file.seek(0)
        self.have, self.note = 0, None

    def finish(self) -> Path:
        """On the disk for good, then under its own name in one step."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        os.replace(self.path, self.target)
        self._note_path.unlink(missing_ok=True)
        return self.target

    def _read_note(self) -> Note | None:
        with contextlib.suppress(OSError, ValueError, TypeError):
            note = Note(**json.loads(self._note_path.read_text("utf-8")))
            if isinstance(note.size, int) and note.size > 0:
                return note
        return None


if sys.platform == "win32":

    def _lock(file: IO[bytes]) -> None:
        import msvcrt

        file.seek(1 << 62)  # far behind the data: Windows forbids writing where a lock lies
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        file.seek(0, os.SEEK_END)

else:

    def _lock(file: IO[bytes]) -> None:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
