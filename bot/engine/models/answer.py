"""Reads a server's answer: what file it says it has, and where in it the body begins. No I/O: headers in, a plan out.

Servers differ, and each of these has been seen:
- The hub redirects to a content server. Only the hub's own answer has the file's sha256 (`X-Linked-ETag`) and size
  (`X-Linked-Size`); the content server may send no ETag at all, or one of its own that means something else.
- ModelScope answers a range with 200, not 206: what counts is Content-Range, not the status.
- A server that knows no ranges sends everything, with 200 and no Content-Range.
- A mirror or a hotel's network answers with a web page, and 200.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.engine.models.part import Note

Headers = Mapping[str, str]  # names compared without case, as aiohttp has them


class Refused(Exception):
    """This source cannot give the file: asking it again is useless. The text is for people."""


class Broken(Exception):
    """It did not work this time. `reached`: the server was there. `wait`: seconds that it asked for."""

    def __init__(self, reason: str, *, reached: bool = True, wait: float | None = None) -> None:
        super().__init__(reason)
        self.reached = reached
        self.wait = wait


@dataclass(frozen=True, slots=True)
class Told:
    """What the hub says of the file before it sends one elsewhere. None, "": it says nothing."""

    size: int | None = None
    sha256: str = ""

    def or_else(self, other: Told) -> Told:
        return Told(self.size if self.size is not None else other.size, self.sha256 or other.sha256)


@dataclass(frozen=True, slots=True)
class Plan:
    """`note` is the file as it is now. `same`: the bytes that are here belong to it. The body begins at `start`."""

    note: Note
    same: bool
    start: int


def told_by(headers: Headers) -> Told:
    """From the first answer of the hub."""
    return Told(_number(headers.get("X-Linked-Size")), as_sha256(headers.get("X-Linked-ETag", "")))


def range_headers(note: Note | None, have: int, source: str) -> dict[str, str]:
    """Asks for the rest of a file, and for all of it if it has changed."""
    if not have or note is None:
        return {}
    condition = {"If-Range": note.etag} if note.etag and note.source == source else {}
    return {"Range": f"bytes={have}-", **condition}


def read_answer(
    status: int, headers: Headers, told: Told, note: Note | None, have: int, source: str, known: Told
) -> Plan:
    """`known` is the catalogue's word. Raises Refused or Broken when there is no file in the answer."""
    _check_status(status, headers)
    _check_kind(headers)
    start, total = _place(headers)
    size = _one_size(known.size, told.size, total)
    _check_sum(known.sha256, told.sha256)
    sha256 = known.sha256 or told.sha256
    etag = _strong(headers.get("ETag", ""))
    same = note is not None and note.size == size and _same(note, sha256, etag, source, continued=0 < start == have)
    if same and note is not None:
        sha256 = sha256 or note.sha256
    return Plan(Note(size, sha256, etag, source), same, start)


def _same(note: Note, sha256: str, etag: str, source: str, continued: bool) -> bool:
    """Whether what is here belongs to the file that the server has now. The sum at the end has the last word."""
    if note.sha256 and sha256:
        return note.sha256 == sha256
    if note.source == source and note.etag and etag:
        return note.etag == etag
    return (note.source == source and bool(note.etag) and continued) or bool(note.sha256 or sha256)


def _check_status(status: int, headers: Headers) -> None:
    if status in (200, 206):
        return
    if status == 404:
        raise Refused("没有这个文件（404） / no such file")
    if status in (401, 403):
        raise Refused(f"不让下载（{status}） / not allowed")
    if status == 429:
        raise Broken("请求太多（429） / too many requests", wait=_number(headers.get("Retry-After")))
    if status in (408, 425) or status >= 500:
        raise Broken(f"服务器出错（{status}） / server error", wait=_number(headers.get("Retry-After")))
    raise Refused(f"不认识的回答（{status}） / unexpected answer")


def _check_kind(headers: Headers) -> None:
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        raise Refused("给的是网页，不是文件，网络可能要先登录 / a web page instead of the file")
    encoding = headers.get("Content-Encoding", "identity").lower()
    if encoding not in ("", "identity"):
        raise Refused(f"文件被另外压缩了（{encoding}） / the file comes compressed")


def _place(headers: Headers) -> tuple[int, int | None]:
    """Where the body begins, and the size of the whole file."""
    place = headers.get("Content-Range")
    if place is None:
        return 0, _number(headers.get("Content-Length"))
    match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", place.strip())
    if match is None:
        raise Refused(f"看不懂的 Content-Range：{place[:60]} / unreadable Content-Range")
    return int(match[1]), _number(match[3])


def _one_size(known: int | None, told: int | None, total: int | None) -> int:
    sizes = {size for size in (known, told, total) if size is not None}
    if not sizes:
        raise Refused("没有说文件有多大 / no size given")
    if len(sizes) > 1:
        words = [("目录 / catalogue", known), ("网站 / hub", told), ("文件 / file", total)]
        listed = "，".join(f"{who} {size:,}" for who, size in words if size is not None)
        raise Refused(f"文件大小说法不一（{listed}） / sizes differ")
    return sizes.pop()


def _check_sum(known: str, told: str) -> None:
    if known and told and known != told:
        raise Refused(f"校验和与目录不符（{told[:12]}…） / not the catalogue's file")


def as_sha256(etag: str) -> str:
    """Of the content, as an LFS file's linked ETag is; "" for anything else."""
    value = etag.strip().removeprefix("W/").strip('"').lower()
    return value if re.fullmatch(r"[0-9a-f]{64}", value) else ""


def _strong(etag: str) -> str:
    """Only a strong one may stand in If-Range (RFC 9110, 13.1.5)."""
    return etag if re.fullmatch(r'"[^"]*"', etag) else ""


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and re.fullmatch(r"\d{1,18}", text.strip()) else None
