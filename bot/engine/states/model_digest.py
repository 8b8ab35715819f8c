"""What a model file holds, as one digest: states belong to a model by its content, not by its name.

Every byte is read, since two models may differ in a few numbers only. That takes about a second a gigabyte, so the
digest is remembered beside the states, by everything that the system says of the file: path, size, times of change of
content and entry, device and inode. Who writes into a model file and forges all of these gets the old digest; nothing
in ordinary use does that.
"""

from __future__ import annotations

import contextlib
import json
from hashlib import blake2b
from pathlib import Path

from bot.engine.states.whole_files import write_whole

REMEMBERED = 100
"""Models whose digests are remembered; the first that was learned gives way."""

_CHUNK = 1 << 22

Stamp = list[int]


def stamp(model: Path) -> Stamp | None:
    """What changes when the file does, without reading it. None if there is no file."""
    try:
        found = model.stat()
    except OSError:
        return None
    return [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_dev, found.st_ino]


def remembered(model: Path, of: Stamp, memory: Path) -> str | None:
    """The digest that `memory` has for the file as it was at `of`."""
    entry = _read(memory).get(str(model.absolute()))
    return entry[1] if entry is not None and entry[0] == of else None


def compute(model: Path, of: Stamp, memory: Path) -> str | None:
    """Reads the whole file and remembers the digest if it can. None: the file is no longer what it was at `of`."""
    digest = blake2b(digest_size=16)
    with model.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    if stamp(model) != of:
        return None
    _remember(model, of, digest.hexdigest(), memory)
    return digest.hexdigest()


def _remember(model: Path, of: Stamp, digest: str, memory: Path) -> None:
    entries = _read(memory)
    entries.pop(str(model.absolute()), None)
    newest = [*entries.items(), (str(model.absolute()), (of, digest))][-REMEMBERED:]
    with contextlib.suppress(OSError):  # then it is computed again next time
        write_whole(memory, json.dumps(dict(newest)).encode())


def _read(memory: Path) -> dict[str, tuple[Stamp, str]]:
    """Empty when there is nothing to be read."""
    try:
        entries = json.loads(memory.read_bytes())
        return {str(path): (list(of), str(digest)) for path, (of, digest) in entries.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
