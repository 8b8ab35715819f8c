"""Zip files from anywhere: sizes are counted while unpacking, and no name leads out of the archive. Nothing is written."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath

from bot.scenario import ScenarioError

MOST_MEMBERS = 2000
MOST_BYTES = 96 * 2**20  # unpacked, all together

_UTF8 = 0x800  # the flag that says how a name is written
_LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db")


def unpack(content: bytes, file: str) -> dict[PurePosixPath, bytes]:
    """The files in it. Raises ScenarioError: damaged, encrypted, too large, or with names that lead elsewhere."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            return _unpack(packed, file)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise ScenarioError(
            file, "", f"压缩包解不开（{error}）。请重新打包，不要加密码。 Cannot be unpacked."
        ) from error


def pack(members: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in members.items():
            packed.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _unpack(packed: zipfile.ZipFile, file: str) -> dict[PurePosixPath, bytes]:
    members = packed.infolist()
    if len(members) > MOST_MEMBERS:
        raise ScenarioError(file, "", f"里面有 {len(members)} 个文件，最多 {MOST_MEMBERS} 个。 Too many files.")
    found: dict[PurePosixPath, bytes] = {}
    left = MOST_BYTES
    for member in members:
        path = _path(member, file)
        if member.is_dir() or any(part in _LITTER for part in path.parts):
            continue
        if path in found:
            raise ScenarioError(file, str(path), "出现了两次。请重新打包。 There twice.")
        with packed.open(member) as inner:
            found[path] = inner.read(left + 1)
        left -= len(found[path])
        if left < 0:
            raise ScenarioError(file, "", f"解开后超过 {MOST_BYTES >> 20} MiB。请分开打包。 Too large.")
    return found


def _path(member: zipfile.ZipInfo, file: str) -> PurePosixPath:
    """Raises ScenarioError for what would lie elsewhere than in the archive."""
    name = _name(member)
    path = PurePosixPath(name)
    parts = name.rstrip("/").split("/")
    hostile = path.is_absolute() or any(part in ("", ".", "..") for part in parts) or set(name) & {"\\", "\0", ":"}
    if hostile or stat.S_ISLNK(member.external_attr >> 16):
        raise ScenarioError(
            file, repr(name), "指向压缩包外面，整个文件没有导入。请重新打包。 Leads out of the archive."
        )
    return path


def _name(member: zipfile.ZipInfo) -> str:
    """Windows in Chinese writes names in GBK and does not say so."""
    if member.flag_bits & _UTF8:
        return member.filename
    raw = member.orig_filename.encode("cp437", errors="replace")
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename
