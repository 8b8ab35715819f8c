"""Files on the disk: looked up among what is there, never by joining a path; written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from bot.save.errors import SaveError

MOST_BYTES = 32 * 2**20  # of a file that is read whole

_JUNCTION = 0xA0000003  # how Windows marks a folder that is really another one


def folders(folder: Path) -> Iterator[Path]:
    """The visible folders in it, by name. What leads elsewhere (a link, a junction) is passed over."""
    yield from _entries(folder, files=False)


def files(folder: Path) -> Iterator[Path]:
    """The visible files in it, by name; no links."""
    yield from _entries(folder, files=True)


def _entries(folder: Path, *, files: bool) -> Iterator[Path]:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if not entry.name.startswith(".") and _is_wanted(entry, files):
                yield Path(entry.path)


def _is_wanted(entry: os.DirEntry[str], files: bool) -> bool:
    if files:
        return entry.is_file(follow_symlinks=False)
    if not entry.is_dir(follow_symlinks=False):
        return False
    return getattr(entry.stat(follow_symlinks=False), "st_reparse_tag", 0) != _JUNCTION


def find_folder(folder: Path, name: str) -> Path | None:
    """The folder of that name in it. However hostile the name, only what is there can be found."""
    return _find(folders(folder), name)


def find_file(folder: Path, name: str) -> Path | None:
    return _find(files(folder), name)


def _find(paths: Iterator[Path], name: str) -> Path | None:
    """Composed and decomposed letters are one name: macOS may keep the other form."""
    composed = unicodedata.normalize("NFC", name)
    alike = [path for path in paths if unicodedata.normalize("NFC", path.name) == composed]
    return next((path for path in alike if path.name == name), alike[0] if alike else None)


def read_bytes(path: Path) -> bytes:
    """Raises SaveError: it cannot be read, or is far too large to be what it says it is."""
    try:
        with path.open("rb") as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode) and os.fstat(file.fileno()).st_size <= MOST_BYTES:
                return file.read()
    except OSError as error:
        raise SaveError(f"读不了 {path}（{error.strerror}）。请检查权限。 The file cannot be read.") from error
    raise SaveError(
        f"{path} 超过 {MOST_BYTES >> 20} MiB，没有读。请检查它是不是放错了。 The file is too large and was not read."
    )


def write_new(path: Path, content: bytes) -> None:
    """A file that must not be there yet, on disk when this returns."""
    with path.open("xb") as out:
        _write_through(out.fileno(), content)


def replace(path: Path, content: bytes) -> None:
    """All of it or nothing: whoever reads meanwhile has the old file or the new one."""
    part = path.with_name(f".{path.name[:40]}.part")
    try:
        with part.open("wb") as out:
            _write_through(out.fileno(), content)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)  # on a full disk it would take the room that is missing
        raise
    sync_folder(path.parent)


def _write_through(handle: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(handle, view) :]
    os.fsync(handle)


def sync_folder(folder: Path) -> None:
    """A rename is on disk when its folder is. Windows has no such call."""
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def disk(what: str) -> Iterator[None]:
    """The system's refusal as a SaveError; `what` was to be done."""
    try:
        yield
    except OSError as error:
        raise SaveError(
            f"{what}没有成功（{error.strerror}），什么都没有变。请检查磁盘空间和权限。 "
            "The disk refused; nothing was changed."
        ) from error
