"""Writes a file so that others, and a crash at any moment, find either all of it or the one before."""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path

STALE = 600.0
"""Seconds after which an unfinished file has surely lost its writer."""


def write_whole(path: Path, data: bytes) -> None:
    """For the user's own eyes: mode 600, in folders of mode 700. OSError when it cannot be."""
    _make_private(path.parent)
    handle, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _make_private(folder: Path) -> None:
    """Path.mkdir gives its mode to the last folder only."""
    if not folder.is_dir():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def sweep_unfinished(folder: Path) -> None:
    """Removes what writers that were killed have left in `folder`."""
    for path in folder.glob(".*.tmp"):
        with contextlib.suppress(OSError):  # another process was quicker, or still writes it
            if path.stat().st_mtime < time.time() - STALE:
                path.unlink()
