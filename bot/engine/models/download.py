"""Fetches a model file: goes on where it stopped, checks size and sha256, and only then gives the file its name.

Sources are asked in turn. One that breaks off is asked again after a pause, a bounded number of times; what has come
stays for the next time, and the next source. Loads no model and needs no torch.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import aiohttp
from yarl import URL

from bot.engine.models.answer import Broken, Plan, Refused, Told, as_sha256, range_headers, read_answer, told_by
from bot.engine.models.catalogue import Entry
from bot.engine.models.part import PartFile
from bot.errors import UserError

PIECE = 1 << 20
MAX_HOPS = 10
MAX_LISTING = 4 << 20
MARGIN = 64 << 20
"""Bytes of the disk that a download leaves free."""

TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=15, sock_read=30)


@dataclass(frozen=True, slots=True)
class Source:
    """A place that has the catalogue's files, each at `base/FILE`.

    `listing` is an address with sizes and sums in ModelScope's form, for a place whose answers do not have them.
    """

    name: str
    base: str
    listing: str = ""

    def url(self, file: str) -> str:
        return f"{self.base}/{file}"


def sources(environment: Mapping[str, str]) -> tuple[Source, ...]:
    """The hub, or the mirror that HF_ENDPOINT names, then ModelScope."""
    hub = environment.get("HF_ENDPOINT", "").strip().rstrip("/") or "https://huggingface.co"
    if not hub.startswith(("http://", "https://")):
        raise UserError(f'HF_ENDPOINT 应以 https:// 开头，现为 "{hub}"。 / HF_ENDPOINT must begin with https://.')
    return (
        Source(f"Hugging Face（{URL(hub).host}）", f"{hub}/BlinkDL/rwkv7-g1/resolve/main"),
        Source(
            "ModelScope（modelscope.cn）",
            "https://modelscope.cn/models/RWKV/rwkv7-g1/resolve/master",
            "https://modelscope.cn/api/v1/models/RWKV/rwkv7-g1/repo/files?Revision=master&Recursive=true",
        ),
    )


@dataclass(frozen=True, slots=True)
class Patience:
    """`pauses` in seconds between tries, as many tries more; counted anew whenever `gain` bytes have come.

    A server that was never reached gets `unreached` tries only.
    """

    pauses: tuple[float, ...] = (1, 2, 5, 10, 20)
    unreached: int = 2
    gain: int = 1 << 20
    longest: float = 60.0


class Witness(Protocol):
    """Whoever watches: a bar in the terminal."""

    def progress(self, done: int, total: int) -> None: ...

    def say(self, text: str) -> None: ...


Free = Callable[[Path], int]


def free_space(folder: Path) -> int:
    return shutil.disk_usage(folder).free


async def download(
    entry: Entry,
    folder: Path,
    places: Sequence[Source],
    witness: Witness,
    *,
    patience: Patience = Patience(),
    free: Free = free_space,
    timeout: aiohttp.ClientTimeout = TIMEOUT,
) -> Path:
    """The finished file in `folder`. UserError says why there is none, and what is kept for the next time."""
    target = folder / entry.file
    if target.exists():
        return _already(target, entry)
    try:
        with PartFile(target) as part:
            async with aiohttp.ClientSession(
                trust_env=True, auto_decompress=False, timeout=timeout, read_bufsize=PIECE
            ) as session:
                fetch = _Fetch(entry, part, session, witness, patience, free)
                await fetch.from_any(places)
            return part.finish()
    except OSError as error:
        raise UserError(_disk_trouble(error, target)) from error


def _already(target: Path, entry: Entry) -> Path:
    size = target.stat().st_size
    if entry.size in (None, size):
        return target
    raise UserError(
        f"{target} 已经有了，但大小是 {size:,}，应为 {entry.size:,}。请先移走它再下载。"
        " / A file of that name but another size is there; move it away first."
    )


def _disk_trouble(error: OSError, target: Path) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"磁盘满了：{target.parent}。腾出空间后再运行一次，会接着下。 / The disk is full; what came is kept."
    return f"写不了 {target}：{error.strerror or error}。请检查文件夹。 / Cannot write there."


@dataclass(slots=True)
class _Fetch:
    """One file, from several places, into one part."""

    entry: Entry
    part: PartFile
    session: aiohttp.ClientSession
    witness: Witness
    patience: Patience
    free: Free
    listed: Told = Told()

    async def from_any(self, places: Sequence[Source]) -> None:
        reasons = []
        for place in places:
            try:
                await self._from(place)
            except Refused as error:
                reasons.append(f"{place.name}：{error}")
                self.witness.say(reasons[-1])
            else:
                return
        kept = f"已下的 {self.part.have / 1e6:,.1f} MB 还在，再运行一次会接着下。" if self.part.have else ""
        raise UserError(f"下载 {self.entry.name} 没有成功：{'；'.join(reasons)}。{kept} / The download failed.")

    async def _from(self, place: Source) -> None:
        """Until the file is whole and right, or this place is of no use."""
        failed, self.listed = 0, await self._look_up(place)
        while True:
            before = self.part.have
            try:
                if not self._whole:
                    await self._go_on(place)
                await self._check_sum()
            except Broken as error:
                failed = 1 if self.part.have - before >= self.patience.gain else failed + 1
                await self._pause(error, failed)
            else:
                return

    @property
    def _whole(self) -> bool:
        return self.part.note is not None and self.part.have == self.part.note.size

    async def _pause(self, error: Broken, failed: int) -> None:
        """Refused when it has failed too often."""
        tries = len(self.patience.pauses) if error.reached else self.patience.unreached - 1
        if failed > tries or (error.wait or 0) > self.patience.longest:
            raise Refused(str(error)) from error
        seconds = max(self.patience.pauses[failed - 1], error.wait or 0)
        self.witness.say(f"{error}，{seconds:g} 秒后再试 / trying again in {seconds:g} s")
        await asyncio.sleep(seconds)

    async def _go_on(self, place: Source) -> None:
        """One request, to its end."""
        try:
            response, told = await self._ask(place)
            async with response:
                await self._take(response, told, place)
        except aiohttp.ClientConnectorError as error:
            raise Broken(f"连不上（{_words(error)}） / cannot connect", reached=False) from error
        except aiohttp.ConnectionTimeoutError as error:
            raise Broken("连不上（超时） / cannot connect", reached=False) from error
        except TimeoutError as error:
            raise Broken("很久没有数据 / no data for long") from error
        except aiohttp.InvalidURL as error:
            raise Refused(f"地址不对（{_words(error)}） / bad address") from error
        except aiohttp.ClientError as error:
            raise Broken(f"连接断了（{_words(error)}） / the connection broke") from error
        finally:
            self.part.flush()

    async def _ask(self, place: Source) -> tuple[aiohttp.ClientResponse, Told]:
        """Follows redirects by hand: the first answer with a sum says what file it is, the last has it."""
        url = URL(place.url(self.entry.file))
        headers = {"Accept-Encoding": "identity", **range_headers(self.part.note, self.part.have, place.name)}
        told = Told()
        for _ in range(MAX_HOPS):
            response = await self.session.get(url, headers=headers, allow_redirects=False)
            told = told if told.sha256 else told_by(response.headers)
            location = response.headers.get("Location")
            if response.status not in (301, 302, 303, 307, 308) or location is None:
                return response, told.or_else(self.listed)
            response.release()
            url = _next(url, location)
        raise Refused("转来转去没有结果 / too many redirects")

    async def _look_up(self, place: Source) -> Told:
        """What the place's listing says of the file. Nothing, when there is none or it cannot be read."""
        if not place.listing:
            return Told()
        try:
            async with self.session.get(place.listing, headers={"Accept-Encoding": "identity"}) as response:
                listing = json.loads(await response.content.read(MAX_LISTING))
            facts = {file["Path"]: file for file in listing["Data"]["Files"]}.get(self.entry.file, {})
            return Told(facts.get("Size"), as_sha256(facts.get("Sha256", "")))
        except (aiohttp.ClientError, TimeoutError, ValueError, LookupError, TypeError, AttributeError):
            return Told()

    async def _take(self, response: aiohttp.ClientResponse, told: Told, place: Source) -> None:
        known = Told(self.entry.size, self.entry.sha256 or "")
        part = self.part
        if response.status == 416 and part.have:
            part.discard()
            raise Broken("已下的部分对不上，从头再来 / starting over")
        plan = read_answer(response.status, response.headers, told, part.note, part.have, place.name, known)
        self._make_room(plan)
        if plan.same and plan.start <= part.have:
            part.remember(plan.note)
        else:
            self._start_over(plan)
        await self._receive(response, skip=part.have - plan.start, size=plan.note.size)

    def _start_over(self, plan: Plan) -> None:
        if self.part.have:
            self.witness.say("网上的文件变了，从头下载 / the file has changed: starting over")
        if plan.start:
            self.part.discard()
            raise Broken("要从头下载 / starting over")
        self.part.begin(plan.note)

    def _make_room(self, plan: Plan) -> None:
        needed = plan.note.size - (self.part.have if plan.same else 0)
        free = self.free(self.part.target.parent) + (0 if plan.same else self.part.have)
        if free < needed + MARGIN:
            raise UserError(
                f"磁盘空间不够：还要 {needed / 1e9:.2f} GB，{self.part.target.parent} 只剩 {free / 1e9:.2f} GB。"
                "请腾出空间，或用环境变量 COHOST_MODELS 换一个文件夹。 / Not enough disk space."
            )

    async def _receive(self, response: aiohttp.ClientResponse, skip: int, size: int) -> None:
        part = self.part
        self.witness.progress(part.have, size)
        async for data in response.content.iter_chunked(PIECE):
            new, skip = data[skip:], max(0, skip - len(data))
            if not part.have and new:
                _check_start(new)
            if part.have + len(new) > size:
                part.discard()
                raise Refused("给的比说的多 / more data than announced")
            part.write(new)
            self.witness.progress(part.have, size)
        if part.have < size:
            raise Broken("连接断了 / the connection broke")

    async def _check_sum(self) -> None:
        note, part = self.part.note, self.part
        if note is None or not note.sha256:
            self.witness.say("服务器没有给校验和，只核对了大小 / no checksum was given: only the size is checked")
            return
        self.witness.say("核对校验和 / checking the sum")
        if await asyncio.to_thread(_sum_of, part.path) != note.sha256:
            part.discard()
            raise Refused("下载的内容与校验和不符，已丢弃 / the content does not match its checksum")


def _next(url: URL, location: str) -> URL:
    """Signed addresses are taken as they are written."""
    try:
        target = url.join(URL(location, encoded=True))
    except ValueError as error:
        raise Refused("转向了看不懂的地址 / a redirect to nowhere") from error
    if target.scheme not in ("http", "https") or (url.scheme == "https" and target.scheme == "http"):
        raise Refused(f"转向了不安全的地址（{target.scheme}） / an unsafe redirect")
    return target


def _check_start(data: bytes) -> None:
    """A zip (.pth), an old .pth, or a safetensors header; not a page, a pointer or an error in JSON."""
    if len(data) > 8 and not (data.startswith((b"PK\x03\x04", b"\x80\x02")) or data[8:9] == b"{"):
        raise Refused("给的不是模型文件 / not a model file")


def _sum_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _words(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0][:120] or type(error).__name__
