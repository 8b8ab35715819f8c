"""One server: whether it can be reached, what it takes, and one request to it. Retries and choice are the engine's.

The key goes to this address and nowhere else: redirects are not followed, proxies of the environment are not used, and
what the server says is cleaned of the key before anybody reads it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import aiohttp
from yarl import URL

from bot.engine.mailbox import Mailbox
from bot.engine.remote import forms
from bot.engine.remote.forms import DONE, FEW_STOPS, IGNORED, PATHS, SUSPECTS, Body, Form, NoAnswer, Wish
from bot.engine.remote.rows import Row
from bot.engine.remote.sse import Events, EventTooLong
from bot.engine.types import Ending, Prompt, Sampling
from bot.errors import UserError

log = logging.getLogger(__name__)

CHECK_SECONDS = 10.0
"""A server that does not even list its models in this time is taken for away."""

MOST = 1 << 20
"""Bytes of an answer that is no stream: a list of models, a refusal, or drafts that come all at once."""

PROBE = Wish(
    Prompt(("观众:", " 晚上好", "\n\n", "主播:"), ("\n\n", *(f"\n名字{i}:" for i in range(15)))),
    Sampling(
        top_p=0.5,
        top_k=20,
        typical=0.9,
        presence=0.1,
        frequency=0.1,
        dry_multiplier=0.1,
        ban=("这句话",),
        max_tokens=2,
        min_tokens=1,
        seed=1,
    ),
)
"""A tiny request with nearly every option: what is refused is found out before the first viewer waits for it."""


class Reach(StrEnum):
    UNKNOWN = "unknown"
    READY = "ready"
    LOADING = "loading"  # it answers, but its model is not there yet
    AWAY = "away"
    REFUSED = "refused"  # it does not take the key


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds. `first`: from the request to the first text; `silence`: between two texts."""

    connect: float = 5.0
    first: float = 60.0
    silence: float = 20.0
    check: float = 10.0  # between two looks at a server that is well
    pause: float = 0.5  # before another attempt; doubled each time


class Trouble(Exception):
    """A request failed; the message is for people. `again`: another attempt may succeed, after `pause` if it says so.

    `reach`: what this tells about the server; None: nothing for other requests.
    """

    def __init__(self, message: str, *, again: bool = True, pause: float = 0.0, reach: Reach | None = None) -> None:
        super().__init__(message)
        self.again = again
        self.pause = pause
        self.reach = reach


class Refusal(Trouble):
    """The server answered, and what it said is no."""

    def __init__(self, message: str, status: int, text: str) -> None:
        super().__init__(message, again=status in (404, 405, 501))
        self.status = status
        self.text = text


class Learned(Exception):
    """The server does not take everything that was asked; it is remembered, and the next request goes without."""


class Server:
    """One URL. What was found out about it stays known until the model there changes."""

    def __init__(self, url: str, model: str, key: str, form: Form | None, waits: Waits, proxy: str = "") -> None:
        self.base = base_of(url)
        self.model = model
        self.form = form
        self.reach, self.detail = Reach.UNKNOWN, ""
        self.lacks: frozenset[str] = frozenset()  # refused: not said any more
        self.ignores: frozenset[str] = frozenset()  # known to be left out without a word
        self.alone = False  # a new request cuts off the one before: one at a time
        self.was_ready = False
        self.rests_until = 0.0  # the loop's time; before it the server wants no request
        self.in_flight = 0
        self.suspect = asyncio.Event()  # set: look at it now
        self._given_model, self._given_form = model, form
        self._key = key
        self._waits = waits
        self._proxy = proxy or None
        self._probed = False
        self._serial = False
        self._turn = asyncio.Lock()
        self._idle = asyncio.Event()
        self._idle.set()

    def takes_several(self, wish: Wish) -> bool:
        """Whether one request may ask for several drafts. Each with its own seed: no."""
        return self.form is Form.LIGHTNING or ("n" not in self.lacks and wish.sampling.seed is None)

    # ---- whether it is there -------------------------------------------------------------------------------------

    async def check(self, http: aiohttp.ClientSession) -> None:
        """Looks at it, and at the first time finds out what it takes. Never raises for what a server does."""
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await self._meet(http)
            if not self._probed:
                await self._probe(http)
                self._probed = True
            self.become(Reach.READY, "")
        except Trouble as trouble:
            self.become(trouble.reach or Reach.AWAY, str(trouble))
        except TimeoutError:
            self.become(Reach.AWAY, f"{CHECK_SECONDS:g} 秒没有回应 / no answer")

    def heard(self, trouble: Trouble) -> None:
        """A request failed: what that says about the server."""
        self.rests_until = max(self.rests_until, asyncio.get_running_loop().time() + trouble.pause)
        if trouble.reach is not None:
            self.become(trouble.reach, str(trouble))
        self.suspect.set()

    def become(self, reach: Reach, detail: str) -> None:
        if (reach, detail) != (self.reach, self.detail):
            said = log.info if reach is Reach.READY else log.warning
            said("%s: %s %s", self.base, reach, detail)
        self.reach, self.detail = reach, detail
        self.was_ready = self.was_ready or reach is Reach.READY
        if reach is Reach.REFUSED:
            self._probed = False  # a list of models is often given to anybody

    async def _meet(self, http: aiohttp.ClientSession) -> None:
        """`GET /models`. A server without that page is no worse."""
        try:
            async with self._request(http, "GET", "/models") as answer:
                said = await _text(answer)
        except Refusal as refusal:
            if not refusal.again:
                raise
            return
        with contextlib.suppress(ValueError, LookupError, TypeError, AttributeError, RecursionError):
            self._recognise(json.loads(said)["data"][0])

    def _recognise(self, first: dict[str, object]) -> None:
        """A name of the model, where none was given, and the servers that have ways of their own."""
        name = self._given_model or str(first["id"])
        if name != self.model and not self._given_model:
            self.model, self._probed = name, False
        if self._given_form is None and first.get("owned_by") == "rwkv_lightning":
            self.form = Form.LIGHTNING
        self.ignores = IGNORED.get(str(first.get("owned_by")), frozenset())
        if first.get("owned_by") == "me":  # llama-cpp-python, which ends an answer when a new request comes
            self._serial = True

    async def _probe(self, http: aiohttp.ClientSession) -> None:
        known = self.form if self.form is Form.LIGHTNING else self._given_form
        for form in [known] if known else [Form.COMPLETIONS, Form.CHAT]:
            self.form, self.lacks, self.alone = form, frozenset(), self._serial
            try:
                return await self._find_out(http)
            except Refusal as refusal:
                if not refusal.again or form in (known, Form.CHAT):
                    raise

    async def _find_out(self, http: aiohttp.ClientSession) -> None:
        """Asks until a request is taken. Without a hint at what is wrong, options are given up one after another."""
        for tries in range(len(SUSPECTS) + 1):
            try:
                await self._probe_once(http)
            except Refusal as refusal:
                if refusal.status not in (400, 422) or tries == len(SUSPECTS):
                    raise
                self.lacks |= SUSPECTS[tries]
            else:
                return await self._acquit(http, frozenset().union(*SUSPECTS[: max(0, tries - 1)]))

    async def _acquit(self, http: aiohttp.ClientSession, others: frozenset[str]) -> None:
        """Perhaps the option given up last was the only one at fault, and these others were not."""
        known = self.lacks
        if not others:
            return
        self.lacks = known - others
        try:
            await self._probe_once(http)
        except Trouble:
            self.lacks = known

    async def _probe_once(self, http: aiohttp.ClientSession) -> None:
        while True:
            mailbox = Mailbox(2)
            try:
                rows = [Row(i, PROBE.prompt, mailbox) for i in range(1 if "n" in self.lacks else 2)]
                return await self.ask(http, PROBE, rows)
            except Learned:
                continue

    # ---- one request ---------------------------------------------------------------------------------------------

    async def ask(
        self, http: aiohttp.ClientSession, wish: Wish, rows: Sequence[Row], begun: Callable[[], None] = lambda: None
    ) -> None:
        """Fills these rows. Raises Trouble, after which some may be done, some begun; or Learned: ask again.

        `begun` is called when the request is on its way.
        """
        assert self.form is not None
        sent = forms.body(self.form, self.model, wish, len(rows), rows[0].index, self.lacks, self._key)
        async with self._company() as alone:
            begun()
            try:
                await self._fill(http, sent, rows, alone)
            except Refusal as refusal:
                self._learn(refusal, sent)
                raise

    @contextlib.asynccontextmanager
    async def _company(self) -> AsyncIterator[bool]:
        """Counts a request in flight. Where one cuts off another, each has the server to itself: then it yields True."""
        alone = self.alone
        async with self._turn if alone else contextlib.nullcontext():
            if alone:
                await self._idle.wait()
            self.in_flight += 1
            self._idle.clear()
            try:
                yield alone
            finally:
                self.in_flight -= 1
                if not self.in_flight:
                    self._idle.set()

    async def _fill(self, http: aiohttp.ClientSession, sent: Body, rows: Sequence[Row], alone: bool) -> None:
        assert self.form is not None
        seen: set[int] = set()
        ended = False
        with self._limits():
            async with asyncio.timeout(self._waits.first) as limit:
                async with self._request(http, "POST", PATHS[self.form], sent) as answer:
                    async for data in _events(answer):
                        if ended := data.strip() == DONE:
                            break
                        seen |= self._hear(data, rows, limit)
                        if all(row.done for row in rows):
                            return
        if not ended:
            raise Trouble("回答中途断开了 / the answer broke off")
        self._conclude(rows, seen, alone)

    def _hear(self, data: str, rows: Sequence[Row], limit: asyncio.Timeout) -> set[int]:
        """One event. Text moves the deadline; other signs of life do not. Returns the rows that it is about."""
        pieces = [piece for piece in forms.pieces(data) if 0 <= piece.index < len(rows)]
        for piece in pieces:
            row = rows[piece.index]
            row.take(piece.text)
            if piece.text:
                limit.reschedule(asyncio.get_running_loop().time() + self._waits.silence)
            if piece.reason is not None:
                row.end(Ending.LENGTH if piece.reason == "length" else Ending.STOP)
        return {piece.index for piece in pieces}

    def _conclude(self, rows: Sequence[Row], seen: set[int], alone: bool) -> None:
        """The server says that this is all. What is open may be complete, ignored, or cut off by another request."""
        if self.form is not Form.LIGHTNING:  # which never says more than that
            if len(seen) < len(rows) and len(rows) > 1:
                self.lacks |= {"n"}
                raise Learned
            if self.in_flight > 1 and not alone:
                self.alone = True
                raise Learned
        for row in rows:
            row.end(Ending.STOP)

    def _learn(self, refusal: Refusal, sent: Body) -> None:
        """Raises Learned when the refusal says what to leave out."""
        if self.form is Form.LIGHTNING:
            lacking = {"stop"} if refusal.status in (400, 422, 500) else set()
        else:
            lacking = forms.blamed(refusal.text, sent) if refusal.status in (400, 422) else set()
        if "stop" in lacking and "many stops" not in self.lacks and len(sent.get("stop", ())) > FEW_STOPS:
            lacking = lacking - {"stop"} | {"many stops"}
        if lacking - self.lacks:
            log.info("%s does not take %s", self.base, ", ".join(sorted(lacking - self.lacks)))
            self.lacks |= lacking
            raise Learned from refusal

    @contextlib.asynccontextmanager
    async def _request(
        self, http: aiohttp.ClientSession, method: str, path: str, said: Body | None = None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """The answer, when it is one. Leaving early closes the connection, which is how a server learns to stop."""
        headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
        request = http.request(
            method,
            f"{self.base}{path}",
            json=said,
            headers=headers | {"Accept": "text/event-stream, application/json"},
            allow_redirects=False,
            proxy=self._proxy,
        )
        with self._limits():
            async with request as answer:
                if answer.status != 200:
                    raise await self._no(answer)
                yield answer

    async def _no(self, answer: aiohttp.ClientResponse) -> Trouble:
        status = answer.status
        text = await _text(answer)
        words = forms.complaint(text, self._key)
        said = f"{status}：{words}" if words else str(status)
        if status in (401, 403):
            message = f"不接受密钥（{said}）。请检查 engine.remote.api_key。 / The server refuses the API key."
            return Trouble(message, reach=Reach.REFUSED)
        if 300 <= status < 400:
            to = forms.complaint(answer.headers.get("Location", "").partition("?")[0], self._key)
            message = f"转去了别的地址（{to}）；密钥只交给写明的服务器。请把 engine.remote.urls 改成最终的地址。 / It redirects."
            return Trouble(message, reach=Reach.AWAY)
        if status == 429:
            return Trouble(f"服务器太忙（{said}） / too many requests", pause=_retry_after(answer))
        lightning_stops = self.form is Form.LIGHTNING and status == 500 and "stop" not in self.lacks
        if status in (408, 425) or (status >= 500 and status != 501 and not lightning_stops):
            reach = Reach.LOADING if status == 503 and not self.was_ready else None
            return Trouble(f"服务器出错（{said}） / server error", pause=_retry_after(answer), reach=reach)
        return Refusal(f"服务器拒绝了请求（{said}） / the server refuses the request", status, text)

    @contextlib.contextmanager
    def _limits(self) -> Iterator[None]:
        """Every way in which a network fails, as Trouble."""
        try:
            yield
        except aiohttp.ClientConnectorError as error:
            why = _reason(error)
            raise Trouble(f"连不上（{why}） / cannot connect", reach=Reach.AWAY) from None
        except aiohttp.ConnectionTimeoutError:
            text = f"{self._waits.connect:g} 秒没有连上 / cannot connect in time"
            raise Trouble(text, reach=Reach.AWAY) from None
        except (aiohttp.ClientError, ConnectionError, EventTooLong) as error:
            raise Trouble(f"连接断了（{type(error).__name__}） / the connection broke") from None
        except NoAnswer as error:
            words = forms.complaint(str(error), self._key)
            raise Trouble(f"服务器的回答不对（{words}） / the server's answer is wrong") from None
        except TimeoutError:
            raise Trouble("等得太久，没有新的文字 / no text in time") from None


async def _events(answer: aiohttp.ClientResponse) -> AsyncIterator[str]:
    """The data of each event; a server that does not stream gives one, and the end."""
    if answer.content_type == "application/json":
        yield await _text(answer)
        yield DONE
        return
    events = Events()
    async for piece in answer.content.iter_any():
        for data in events.feed(piece):
            yield data
    for data in events.flush():
        yield data


async def _text(answer: aiohttp.ClientResponse) -> str:
    """The whole body, up to `MOST` bytes."""
    said = b""
    async for piece in answer.content.iter_any():
        said += piece
        if len(said) > MOST:
            break
    return said[:MOST].decode("utf-8", "replace")


def _reason(error: aiohttp.ClientConnectorError) -> str:
    """What went wrong, without the address, which is said already."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return str(error.certificate_error)
    return error.os_error.strerror or str(error.os_error)


def _retry_after(answer: aiohttp.ClientResponse) -> float:
    """Seconds. A date, which hardly any server of models sends, counts as one."""
    with contextlib.suppress(ValueError):
        return max(0.0, min(float(answer.headers.get("Retry-After", "0")), 86400.0))
    return 1.0


def base_of(url: str) -> str:
    """What paths are joined to: with `/v1` where no path was written, without the end that people paste along."""
    try:
        found = URL(url)
        origin = str(found.origin())
    except ValueError as error:
        raise UserError(f"engine.remote.urls：{url} 不是网址（{error}）。请改正。 / It is no URL.") from None
    path = found.path.rstrip("/")
    for ending in ("/chat/completions", "/completions", "/models"):
        path = path.removesuffix(ending)
    return origin + (path or "/v1")
