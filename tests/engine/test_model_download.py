"""Fetching model files from a hub that redirects, breaks off, lies, changes its mind, or is not there."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.__main__ import main
from bot.engine.models import commands
from bot.engine.models.catalogue import Entry
from bot.engine.models.download import MARGIN, Patience, Source, download, sources
from bot.engine.models.part import PartFile
from bot.errors import UserError
from tests.fakes.hub import Fault, Hub, breaks_off, claims_place, falls_silent, says, without_length
from tests.ports import free_port

CONTENT = b"PK\x03\x04" + random.Random(1).randbytes(200_000)
OTHER = b"PK\x03\x04" + random.Random(2).randbytes(180_000)
ENTRY = Entry("rwkv7-test-0.1b", "0.1b")
AT_ONCE = Patience(pauses=(0, 0, 0), gain=1 << 30)
ONE_TRY = Patience(pauses=(), unreached=1)


class Watcher:
    """Remembers what a person would see."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, int]] = []
        self.said: list[str] = []

    def progress(self, done: int, total: int) -> None:
        self.seen.append((done, total))

    def say(self, text: str) -> None:
        self.said.append(text)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


async def fetch(
    folder: Path,
    *hubs: Hub | Source,
    patience: Patience = AT_ONCE,
    watcher: Watcher | None = None,
    entry: Entry = ENTRY,
    free: Callable[[Path], int] = lambda folder: 1 << 40,
    timeout: float = 10,
) -> Path:
    places = [hub.source if isinstance(hub, Hub) else hub for hub in hubs]
    limit = aiohttp.ClientTimeout(total=None, sock_connect=timeout, sock_read=timeout)
    return await download(entry, folder, places, watcher or Watcher(), patience=patience, free=free, timeout=limit)


def part_of(folder: Path) -> bytes:
    path = folder / f"{ENTRY.file}.part"
    return path.read_bytes() if path.exists() else b""


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def nowhere() -> Source:
    """An address at which nobody listens."""
    return Source("nowhere", f"http://127.0.0.1:{free_port()}")


# -- what goes well ----------------------------------------------------------------------------------------------------


async def test_a_file_comes_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    """Through a redirect to another name and port, with progress from nothing to all."""
    watcher = Watcher()
    async with Hub(CONTENT) as hub:
        path = await fetch(tmp_path / "models", hub, watcher=watcher)
    assert path == tmp_path / "models" / ENTRY.file
    assert path.read_bytes() == CONTENT
    assert names_in(path.parent) == [path.name]
    assert watcher.seen[0] == (0, len(CONTENT))
    assert watcher.seen[-1] == (len(CONTENT), len(CONTENT))


async def test_a_broken_connection_is_taken_up_where_it_broke(tmp_path: Path) -> None:
    """With Range and If-Range, and no byte is sent twice."""
    async with Hub(CONTENT) as hub:
        hub.faults += [breaks_off(50_000), breaks_off(70_000)]
        path = await fetch(tmp_path, hub)
        assert [request.headers.get("Range") for request in hub.asked] == [None, "bytes=50000-", "bytes=120000-"]
        assert [request.headers.get("If-Range") for request in hub.asked] == [None, '"first"', '"first"']
        assert hub.sent == len(CONTENT)
    assert path.read_bytes() == CONTENT


async def test_the_next_run_goes_on_from_what_the_last_one_left(tmp_path: Path) -> None:
    """The message says so, and the bar begins where it stood."""
    watcher = Watcher()
    async with Hub(CONTENT) as hub:
        hub.faults.append(breaks_off(150_000))
        with pytest.raises(UserError, match=r"已下的 0\.1 MB 还在"):
            await fetch(tmp_path, hub, patience=ONE_TRY)
        assert part_of(tmp_path) == CONTENT[:150_000]
        path = await fetch(tmp_path, hub, watcher=watcher)
        assert hub.sent == len(CONTENT)
    assert path.read_bytes() == CONTENT
    assert watcher.seen[0] == (150_000, len(CONTENT))


async def test_a_content_server_without_etags_can_be_resumed(tmp_path: Path) -> None:
    """The hub's sum says that it is the same file."""
    async with Hub(CONTENT) as hub:
        hub.etag = None
        hub.faults.append(breaks_off(50_000))
        path = await fetch(tmp_path, hub)
        assert hub.sent == len(CONTENT)
        assert "If-Range" not in hub.asked[-1].headers
    assert path.read_bytes() == CONTENT


async def test_a_range_that_is_answered_with_200_is_still_a_range(tmp_path: Path) -> None:
    """As ModelScope does it: Content-Range says where the body belongs."""
    async with Hub(CONTENT) as hub:
        hub.range_status = 200
        hub.faults.append(breaks_off(50_000))
        path = await fetch(tmp_path, hub)
        assert hub.sent == len(CONTENT)
    assert path.read_bytes() == CONTENT


async def test_a_server_that_ignores_ranges_costs_time_but_nothing_that_is_here(tmp_path: Path) -> None:
    """It sends all again; what is here stays, even when it breaks off earlier the second time."""
    async with Hub(CONTENT) as hub:
        hub.knows_ranges = False
        hub.faults += [breaks_off(150_000), breaks_off(10_000)]
        with pytest.raises(UserError):
            await fetch(tmp_path, hub, patience=Patience(pauses=(0,), gain=1 << 30))
        assert part_of(tmp_path) == CONTENT[:150_000]
        path = await fetch(tmp_path, hub)
    assert path.read_bytes() == CONTENT


async def test_a_part_that_is_whole_already_is_only_checked(tmp_path: Path) -> None:
    """A program that was ended just before the last step asks for nothing again."""
    async with Hub(CONTENT) as hub:
        hub.faults.append(breaks_off(len(CONTENT) - 1))
        with pytest.raises(UserError):
            await fetch(tmp_path, hub, patience=ONE_TRY)
        with (tmp_path / f"{ENTRY.file}.part").open("ab") as file:
            file.write(CONTENT[-1:])
        path = await fetch(tmp_path, hub)
        assert len(hub.asked) == 1
    assert path.read_bytes() == CONTENT


async def test_progress_counts_the_tries_anew(tmp_path: Path) -> None:
    """A line that breaks often, but gets on, is good enough."""
    async with Hub(CONTENT) as hub:
        hub.faults += [breaks_off(20_000)] * 9
        path = await fetch(tmp_path, hub, patience=Patience(pauses=(0,), gain=10_000))
    assert path.read_bytes() == CONTENT


# -- what changes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sums", [True, False], ids=["hub says sums", "only etags"])
async def test_a_file_that_changes_between_two_parts_is_fetched_anew(tmp_path: Path, sums: bool) -> None:
    """Never half of one and half of the other."""
    watcher = Watcher()
    async with Hub(CONTENT) as hub:
        if not sums:
            hub.linked_sum = None
        hub.faults.append(breaks_off(50_000))
        with pytest.raises(UserError):
            await fetch(tmp_path, hub, patience=ONE_TRY)
        hub.replace(OTHER, '"second"')
        if not sums:
            hub.linked_sum = None
        path = await fetch(tmp_path, hub, watcher=watcher)
    assert path.read_bytes() == OTHER
    assert any("从头" in text for text in watcher.said)


async def test_a_changed_file_behind_an_old_etag_is_seen_too(tmp_path: Path) -> None:
    """The hub's new sum stands above a content server that says nothing has changed."""
    async with Hub(CONTENT) as hub:
        hub.faults.append(breaks_off(50_000))
        with pytest.raises(UserError):
            await fetch(tmp_path, hub, patience=ONE_TRY)
        hub.replace(OTHER + CONTENT[len(OTHER) :], hub.etag)
        path = await fetch(tmp_path, hub)
    assert path.read_bytes() == OTHER + CONTENT[len(OTHER) :]


async def test_another_etag_is_another_file_even_if_it_is_as_long(tmp_path: Path) -> None:
    """Without sums and without ranges, the ETag is all that tells them apart."""
    other = OTHER + CONTENT[len(OTHER) :]
    async with Hub(CONTENT) as hub:
        hub.knows_ranges, hub.linked_sum = False, None
        hub.faults.append(breaks_off(50_000))
        with pytest.raises(UserError):
            await fetch(tmp_path, hub, patience=ONE_TRY)
        hub.replace(other, '"second"')
        hub.linked_sum = None
        assert (await fetch(tmp_path, hub)).read_bytes() == other


# -- what is not so ----------------------------------------------------------------------------------------------------


async def test_a_hub_that_names_another_size_is_not_believed(tmp_path: Path) -> None:
    """Catalogue, hub and file must agree before a byte is written."""
    async with Hub(CONTENT) as hub:
        with pytest.raises(UserError, match="大小说法不一"):
            await fetch(tmp_path, hub, entry=Entry(ENTRY.name, "0.1b", size=123))
        hub.linked_size = len(CONTENT) + 1
        with pytest.raises(UserError, match="大小说法不一"):
            await fetch(tmp_path, hub)
        hub.linked_size = None
        hub.faults.append(without_length(CONTENT))
        with pytest.raises(UserError, match="没有说文件有多大"):
            await fetch(tmp_path, hub)
    assert names_in(tmp_path) == []


async def test_a_body_that_ends_early_is_no_file(tmp_path: Path) -> None:
    """Even if it ends properly; the rest is asked for, and what came is kept."""
    async with Hub(CONTENT) as hub:
        hub.faults.append(without_length(CONTENT[:60_000]))
        path = await fetch(tmp_path, hub)
        assert hub.asked[-1].headers["Range"] == "bytes=60000-"
    assert path.read_bytes() == CONTENT


async def test_a_body_that_does_not_end_is_no_file(tmp_path: Path) -> None:
    """It stops at the size that was announced."""
    async with Hub(CONTENT) as hub:
        hub.faults.append(without_length(CONTENT + b"more"))
        with pytest.raises(UserError, match="给的比说的多"):
            await fetch(tmp_path, hub)
    assert names_in(tmp_path) == []


async def test_a_range_at_another_place_is_put_where_it_belongs(tmp_path: Path) -> None:
    """Bytes that are here already are skipped."""
    async with Hub(CONTENT) as hub:
        hub.faults += [breaks_off(50_000), claims_place(40_000)]
        path = await fetch(tmp_path, hub)
        assert len(hub.asked) == 2
    assert path.read_bytes() == CONTENT


async def test_a_range_with_a_hole_before_it_starts_over(tmp_path: Path) -> None:
    """A file with a hole is worse than a second start."""
    async with Hub(CONTENT) as hub:
        hub.faults += [breaks_off(50_000), claims_place(60_000)]
        path = await fetch(tmp_path, hub)
    assert path.read_bytes() == CONTENT


async def test_a_wrong_sum_is_found_and_nothing_of_it_kept(tmp_path: Path) -> None:
    """The right size and the wrong bytes."""
    async with Hub(CONTENT) as hub:
        hub.content = CONTENT[:-1] + bytes([CONTENT[-1] ^ 1])
        with pytest.raises(UserError, match="校验和不符"):
            await fetch(tmp_path, hub)
    assert names_in(tmp_path) == []


async def test_the_catalogues_sum_stands_above_the_hubs(tmp_path: Path) -> None:
    """A mirror cannot pass off another file, with a sum that fits it."""
    async with Hub(CONTENT) as hub:
        with pytest.raises(UserError, match="与目录不符"):
            await fetch(tmp_path, hub, entry=Entry(ENTRY.name, "0.1b", sha256="0" * 64))
    assert names_in(tmp_path) == []


async def test_a_damaged_part_is_found_by_its_sum(tmp_path: Path) -> None:
    """A disk or a person that changed it: thrown away, and the next run is clean."""
    async with Hub(CONTENT) as hub:
        hub.faults.append(breaks_off(50_000))
        with pytest.raises(UserError):
            await fetch(tmp_path, hub, patience=ONE_TRY)
        (tmp_path / f"{ENTRY.file}.part").write_bytes(bytes(50_000))
        with pytest.raises(UserError, match="校验和不符"):
            await fetch(tmp_path, hub)
        assert (await fetch(tmp_path, hub)).read_bytes() == CONTENT


@pytest.mark.parametrize("note", ["", "{", "[]", '{"size": "x"}', '{"size": -1}', '{"other": 1}'])
async def test_a_part_without_a_readable_note_is_begun_anew(tmp_path: Path, note: str) -> None:
    """Nobody knows what its bytes belong to."""
    (tmp_path / f"{ENTRY.file}.part").write_bytes(b"x" * 1000)
    (tmp_path / f"{ENTRY.file}.part.json").write_text(note)
    async with Hub(CONTENT) as hub:
        assert (await fetch(tmp_path, hub)).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "fault",
    [
        says(200, "<!doctype html><title>登录</title>", "text/html"),
        says(200, "version https://git-lfs.github.com/spec/v1\noid sha256:…"),
        says(200, '{"error": "no"}', "application/json"),
        says(200, "PK\x03\x04 compressed", Content_Encoding="br"),
    ],
    ids=["page", "pointer", "json", "compressed"],
)
@pytest.mark.parametrize("sized", [True, False])
async def test_something_else_instead_of_the_file_is_refused(tmp_path: Path, fault: Fault, sized: bool) -> None:
    """A sign-in page, a pointer, an error with status 200."""
    async with Hub(CONTENT) as hub:
        hub.linked_size = len(CONTENT) if sized else None
        hub.faults.append(fault)
        with pytest.raises(UserError, match="网页|不是模型文件|大小说法不一|压缩"):
            await fetch(tmp_path, hub)
        assert len(hub.asked) == 1
    assert names_in(tmp_path) == []


# -- statuses ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "words"), [(404, "没有这个文件"), (401, "不让下载"), (403, "不让下载"), (410, "410")]
)
async def test_a_no_is_not_asked_again(tmp_path: Path, status: int, words: str) -> None:
    """One request, one clear line."""
    async with Hub(CONTENT) as hub:
        hub.hub_faults += [says(status), says(status)]
        with pytest.raises(UserError, match=words):
            await fetch(tmp_path, hub)
        assert len(hub.hub_faults) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_busy_server_is_asked_again(tmp_path: Path, status: int) -> None:
    """A bounded number of times; what is here already stays."""
    async with Hub(CONTENT) as hub:
        hub.faults += [breaks_off(50_000), says(status), says(status, Retry_After="0")]
        assert (await fetch(tmp_path, hub)).read_bytes() == CONTENT
        assert hub.sent == len(CONTENT)
        (tmp_path / ENTRY.file).unlink()
        hub.faults += [breaks_off(50_000)] + [says(status)] * 9
        with pytest.raises(UserError, match=str(status)):
            await fetch(tmp_path, hub)
        assert len(hub.faults) == 9 - len(AT_ONCE.pauses)
        assert part_of(tmp_path) == CONTENT[:50_000]


async def test_a_long_wait_is_said_instead_of_waited(tmp_path: Path) -> None:
    """An hour is for a person to decide."""
    async with Hub(CONTENT) as hub:
        hub.faults.append(says(429, Retry_After="3600"))
        with pytest.raises(UserError, match="请求太多"):
            await fetch(tmp_path, hub)


async def test_the_pauses_grow_and_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each pause is announced; what the server asks for counts if it is longer."""
    slept: list[float] = []
    nap = asyncio.sleep

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await nap(0)

    monkeypatch.setattr("bot.engine.models.download.asyncio.sleep", sleep)
    watcher = Watcher()
    async with Hub(CONTENT) as hub:
        hub.faults += [says(503), says(503, Retry_After="7"), says(503)]
        await fetch(tmp_path, hub, patience=Patience(pauses=(1, 2, 5)), watcher=watcher)
    assert [seconds for seconds in slept if seconds] == [1, 7, 5]
    assert sum("再试" in text for text in watcher.said) == 3


async def test_a_range_that_cannot_be_had_starts_over(tmp_path: Path) -> None:
    """416, as some content servers say it for a part of a file that was replaced."""
    async with Hub(CONTENT) as hub:
        hub.faults += [breaks_off(50_000), says(416)]
        assert (await fetch(tmp_path, hub)).read_bytes() == CONTENT


async def test_silence_ends_a_try(tmp_path: Path) -> None:
    """A connection that stands open and sends nothing is a broken one."""
    async with Hub(CONTENT) as hub:
        hub.faults.append(falls_silent(after=30_000))
        assert (await fetch(tmp_path, hub, timeout=1)).read_bytes() == CONTENT
        assert hub.asked[-1].headers["Range"] == "bytes=30000-"


# -- redirects ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "http://[::1"])
async def test_an_unsafe_redirect_is_not_followed(tmp_path: Path, target: str) -> None:
    """Only http and https, and only addresses."""
    async with Hub(CONTENT) as hub:
        hub.redirect = target
        with pytest.raises(UserError, match="转向了"):
            await fetch(tmp_path, hub)


async def test_a_hub_that_has_renamed_the_models_place_still_tells_its_sum(tmp_path: Path) -> None:
    """Its first redirect stays on the hub and says nothing; the second one has the sum."""
    async with Hub(CONTENT) as hub:
        hub.hub_faults.append(says(307, Location="/renamed"))
        hub.content = CONTENT[:-4] + b"last"
        with pytest.raises(UserError, match="校验和不符"):
            await fetch(tmp_path, hub)


async def test_a_circle_of_redirects_ends(tmp_path: Path) -> None:
    """And so does the download, with a line."""
    async with Hub(CONTENT) as hub:
        hub.redirect = "/again"
        with pytest.raises(UserError, match="转来转去"):
            await fetch(tmp_path, hub)


# -- sources -----------------------------------------------------------------------------------------------------------


async def test_the_second_source_helps_when_the_first_is_not_there(tmp_path: Path) -> None:
    """The person is told why."""
    watcher = Watcher()
    async with Hub(CONTENT) as hub:
        assert (await fetch(tmp_path, nowhere(), hub, watcher=watcher)).read_bytes() == CONTENT
    assert any("nowhere" in text and "连不上" in text for text in watcher.said)


async def test_the_second_source_goes_on_where_the_first_broke(tmp_path: Path) -> None:
    """The same sum, so the same file: no byte twice, and no ETag of another's."""
    async with Hub(CONTENT) as first, Hub(CONTENT) as second:
        second.etag = '"of another server"'
        first.faults += [breaks_off(50_000)] + [says(500)] * 9
        second_source = Source("second", second.source.base)
        assert (await fetch(tmp_path, first, second_source)).read_bytes() == CONTENT
        assert second.sent == len(CONTENT) - 50_000
        assert "If-Range" not in second.asked[0].headers


async def test_the_sum_of_the_first_source_checks_the_seconds_file(tmp_path: Path) -> None:
    """A second source that says no sum cannot slip in another file."""
    async with Hub(CONTENT) as first, Hub(CONTENT) as second:
        first.faults += [breaks_off(50_000)] + [says(500)] * 9
        second.content, second.linked_sum = CONTENT[:-4] + b"last", None
        with pytest.raises(UserError, match="校验和不符"):
            await fetch(tmp_path, first, Source("second", second.source.base))


async def test_a_listing_gives_size_and_sum(tmp_path: Path) -> None:
    """In ModelScope's form, for a place whose answers have no sums."""
    async with Hub(CONTENT) as hub:
        right = hub.linked_sum
        hub.linked_size = hub.linked_sum = None
        hub.listing = {"Data": {"Files": [{"Path": ENTRY.file, "Size": len(CONTENT), "Sha256": "0" * 64}]}}
        with pytest.raises(UserError, match="校验和不符"):
            await fetch(tmp_path, hub)
        hub.listing = {"Data": {"Files": [{"Path": ENTRY.file, "Size": len(CONTENT), "Sha256": right}]}}
        hub.faults.append(without_length(CONTENT))
        assert (await fetch(tmp_path, hub)).read_bytes() == CONTENT


@pytest.mark.parametrize("listing", [{}, {"Data": None}, {"Data": {"Files": [1]}}, {"Data": {"Files": []}}])
async def test_a_listing_that_makes_no_sense_is_done_without(tmp_path: Path, listing: dict[str, object]) -> None:
    """The answers themselves still say enough."""
    async with Hub(CONTENT) as hub:
        hub.listing = listing
        assert (await fetch(tmp_path, hub)).read_bytes() == CONTENT


async def test_without_any_sum_the_person_is_told(tmp_path: Path) -> None:
    """The size is checked, and that is all that was checked."""
    watcher = Watcher()
    async with Hub(CONTENT) as hub:
        hub.linked_sum = None
        await fetch(tmp_path, hub, watcher=watcher)
    assert any("没有给校验和" in text for text in watcher.said)


async def test_when_no_source_helps_each_says_why(tmp_path: Path) -> None:
    """One line with all the reasons."""
    async with Hub(CONTENT) as hub:
        hub.hub_faults.append(says(404))
        with pytest.raises(UserError, match=r"hub：没有这个文件.*nowhere：连不上") as error:
            await fetch(tmp_path, hub, nowhere())
    assert "\n" not in str(error.value)


def test_the_hub_can_be_a_mirror() -> None:
    """HF_ENDPOINT, with or without a slash at its end; ModelScope comes second."""
    hub, second = sources({})
    assert hub.url("a.pth") == "https://huggingface.co/BlinkDL/rwkv7-g1/resolve/main/a.pth"
    assert second.url("a.pth") == "https://modelscope.cn/models/RWKV/rwkv7-g1/resolve/master/a.pth"
    mirror = sources({"HF_ENDPOINT": "https://hf-mirror.com/"})[0]
    assert mirror.url("a.pth") == "https://hf-mirror.com/BlinkDL/rwkv7-g1/resolve/main/a.pth"
    with pytest.raises(UserError, match="HF_ENDPOINT"):
        sources({"HF_ENDPOINT": "hf-mirror.com"})


# -- this machine ------------------------------------------------------------------------------------------------------


async def test_a_full_disk_is_known_before_the_first_byte(tmp_path: Path) -> None:
    """What is here already need not fit twice."""
    async with Hub(CONTENT) as hub:
        with pytest.raises(UserError, match="磁盘空间不够"):
            await fetch(tmp_path, hub, free=lambda folder: MARGIN + len(CONTENT) - 1)
        assert names_in(tmp_path) == []
        hub.faults += [breaks_off(50_000)]
        with pytest.raises(UserError):
            await fetch(tmp_path, hub, patience=ONE_TRY)
        path = await fetch(tmp_path, hub, free=lambda folder: MARGIN + len(CONTENT) - 50_000)
    assert path.read_bytes() == CONTENT


async def test_a_disk_that_fills_up_meanwhile_keeps_what_came(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One clear line, and the same command goes on."""
    write = PartFile.write

    def full(part: PartFile, data: bytes) -> None:
        if part.have + len(data) > 150_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(part, data)

    async with Hub(CONTENT) as hub:
        with monkeypatch.context() as patch:
            patch.setattr(PartFile, "write", full)
            with pytest.raises(UserError, match="磁盘满了"):
                await fetch(tmp_path, hub)
        kept = part_of(tmp_path)
        assert kept and CONTENT.startswith(kept)
        assert (await fetch(tmp_path, hub)).read_bytes() == CONTENT
        assert hub.asked[-1].headers["Range"] == f"bytes={len(kept)}-"


async def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    """A mistake of the person's, not a traceback."""
    (tmp_path / "models").write_text("")
    async with Hub(CONTENT) as hub:
        with pytest.raises(UserError, match="写不了"):
            await fetch(tmp_path / "models", hub)


async def test_two_programs_do_not_write_the_same_part(tmp_path: Path) -> None:
    """The second is told; and what the first has finished is never written to."""
    async with Hub(CONTENT) as hub:
        with PartFile(tmp_path / ENTRY.file), pytest.raises(UserError, match="另一个程序"):
            await fetch(tmp_path, hub)
        assert (await fetch(tmp_path, hub)).read_bytes() == CONTENT


async def test_ctrl_c_keeps_what_came(tmp_path: Path) -> None:
    """The task is cancelled in the middle; the next one goes on."""
    came = asyncio.Event()

    class Impatient(Watcher):
        def progress(self, done: int, total: int) -> None:
            if done:
                came.set()

    async with Hub(CONTENT) as hub:
        hub.faults.append(falls_silent(after=40_000))
        task = asyncio.create_task(fetch(tmp_path, hub, watcher=Impatient()))
        await came.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        kept = part_of(tmp_path)
        assert kept and CONTENT.startswith(kept)
        assert (await fetch(tmp_path, hub)).read_bytes() == CONTENT


async def test_a_file_that_is_here_is_not_fetched_again(tmp_path: Path) -> None:
    """Unless its size says that it is another one: then a person has to look."""
    (tmp_path / ENTRY.file).write_bytes(CONTENT)
    assert await fetch(tmp_path, nowhere()) == tmp_path / ENTRY.file
    with pytest.raises(UserError, match="大小"):
        await fetch(tmp_path, nowhere(), entry=Entry(ENTRY.name, "0.1b", size=7))


# -- everything at once ------------------------------------------------------------------------------------------------

FAULTS = st.one_of(
    st.integers(0, 40_000).map(breaks_off),
    st.sampled_from([429, 500, 503, 404, 403, 416]).map(says),
    st.integers(0, 30_000).map(claims_place),
    st.integers(0, 40_000).map(lambda size: without_length(SMALL[:size])),
    st.just(says(200, "<html>", "text/html")),
)
SMALL = CONTENT[:30_000]


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    faults=st.lists(FAULTS, max_size=5),
    etag=st.sampled_from([None, '"first"', 'W/"weak"']),
    ranges=st.booleans(),
    status=st.sampled_from([200, 206]),
    sums=st.booleans(),
)
def test_whatever_goes_wrong_the_file_is_right_or_a_beginning_of_it(
    faults: list[Fault], etag: str | None, ranges: bool, status: int, sums: bool
) -> None:
    """Run again and again, it comes to its end; and between runs a part is never anything but the file's beginning."""

    async def story(folder: Path) -> None:
        async with Hub(SMALL) as hub:
            hub.etag, hub.knows_ranges, hub.range_status = etag, ranges, status
            if not sums:
                hub.linked_sum = None
            hub.faults += faults
            for _ in range(len(faults) + 1):
                try:
                    path = await fetch(folder, hub, patience=Patience(pauses=(0,), gain=1 << 30))
                except UserError:
                    assert SMALL.startswith(part_of(folder))
                    assert not (folder / ENTRY.file).exists()
                else:
                    assert path.read_bytes() == SMALL
                    assert names_in(folder) == [ENTRY.file]
                    return
            raise AssertionError("no end")

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(story(Path(folder)))


# -- the command -------------------------------------------------------------------------------------------------------


async def test_the_command_fetches_from_the_mirror_that_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`cohost model download`, from the command line to the file, and what to do with it."""
    monkeypatch.setenv("COHOST_MODELS", str(tmp_path))
    monkeypatch.setattr(commands, "find_entry", lambda name: ENTRY)
    async with Hub(CONTENT) as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        assert await asyncio.to_thread(main, ["model", "download", "0.1b"]) == 0
    assert (tmp_path / ENTRY.file).read_bytes() == CONTENT
    assert "--model" in capsys.readouterr().out


def test_a_name_that_nobody_knows_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With exit code 1 and the nearest name."""
    assert main(["model", "download", "rwkv7-g1e-1.6b"]) == 1
    error = capsys.readouterr().err
    assert "rwkv7-g1e-1.5b" in error and len(error.splitlines()) == 1


def test_list_and_download_need_no_torch() -> None:
    """They start at once."""
    code = (
        "import sys; from bot.__main__ import main; import bot.engine.models.download; "
        "assert main(['model', 'list']) == 0; assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)


def test_the_note_beside_a_part_can_be_read(tmp_path: Path) -> None:
    """It is JSON with the size, the sum, the ETag and the source; the next version will have to read it."""

    async def break_off() -> None:
        async with Hub(CONTENT) as hub:
            hub.faults.append(breaks_off(1000))
            await fetch(tmp_path, hub, patience=ONE_TRY)

    with pytest.raises(UserError):
        asyncio.run(break_off())
    note = json.loads((tmp_path / f"{ENTRY.file}.part.json").read_text())
    digest = hashlib.sha256(CONTENT).hexdigest()
    assert note == {"size": len(CONTENT), "sha256": digest, "etag": '"first"', "source": "hub"}
