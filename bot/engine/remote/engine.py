"""The engine as the show sees it, when the model is on a server elsewhere. One show each: rooms share only the server.

Servers are used in the order in which they were written: the first that is well answers, so that what it keeps of the
scenario serves the next answer too. An attempt is repeated, here or on the next server, only while none of the draft's
text has been handed on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

import aiohttp

from bot.engine.counting import estimated
from bot.engine.mailbox import Mailbox
from bot.engine.remote.forms import Form, Wish, missed
from bot.engine.remote.rows import Row
from bot.engine.remote.server import Learned, Reach, Server, Trouble, Waits
from bot.engine.types import (
    Counted,
    DraftDone,
    DraftText,
    EngineError,
    EngineState,
    EngineStatus,
    Prompt,
    Reading,
    Sampling,
)

ROUNDS = 3
"""How often every server is tried for a draft before it is given up."""

LONGEST_PAUSE = 30.0
"""Seconds. A server that wants a longer rest costs the answer at once, with the time in the message."""

GO_ON = 3
"""How often a draft that ended too early is asked for more."""

MOST_WAITING = 64
"""Requests that may wait for a place among those in flight. Beyond that an answer is refused."""


USUAL = Waits()

log = logging.getLogger(__name__)


class RemoteEngine:
    """An `Engine` on one or more servers. `run` must be running for as long as drafts are wanted."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        model: str = "",
        api_key: str = "",
        form: Form | None = None,
        waits: Waits = USUAL,
        max_in_flight: int = 8,
        proxy: str = "",
        on_status: Callable[[EngineStatus], None] = lambda status: None,
    ) -> None:
        """`model` "" takes the first that a server names; `form` None finds out. `on_status` is called at every change."""
        self._servers = [Server(url, model, api_key, form, waits, proxy) for url in urls]
        self._waits = waits
        self._on_status = on_status
        self._slots = asyncio.Semaphore(max_in_flight)  # who comes later waits, up to MOST_WAITING
        self._max_in_flight = max_in_flight
        self._waiting = 0
        self._missed: set[str] = set()  # what an answer wanted and a server does not do
        self._http: aiohttp.ClientSession | None = None
        self._status = self._present()

    @property
    def status(self) -> EngineStatus:
        return self._status

    async def run(self) -> None:
        """Watches the servers until cancelled. Returns only in the state `failed`: none has ever taken the key."""
        timeout = aiohttp.ClientTimeout(total=None, connect=self._waits.connect, sock_connect=self._waits.connect)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(
            connector=connector, timeout=timeout, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
        ) as http:
            self._http = http
            try:
                async with asyncio.TaskGroup() as tasks:
                    for server in self._servers:
                        tasks.create_task(self._watch(server, http))
            finally:
                self._http = None

    async def _watch(self, server: Server, http: aiohttp.ClientSession) -> None:
        """Looks at a server now and then, more rarely while it is away. A key refused at the first look stays refused."""
        pause = self._waits.pause
        while True:
            server.suspect.clear()
            await server.check(http)
            self._tell()
            if server.reach is Reach.REFUSED and not server.was_ready:
                return
            if server.reach is Reach.READY:
                pause = self._waits.pause
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(server.suspect.wait(), self._waits.check)
            else:
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # many rooms must not come back at once
                pause = min(2 * pause, LONGEST_PAUSE)

    # ---- drafts --------------------------------------------------------------------------------------------------

    async def drafts(self, prompt: Prompt, count: int, sampling: Sampling) -> AsyncIterator[DraftText | DraftDone]:
        """See `Engine`. Raises EngineError at once while no server is ready. Closing it closes the connections."""
        if self._status.state is not EngineState.READY:
            raise EngineError(self._status.detail)
        mailbox, wish = Mailbox(count), Wish(prompt, sampling)
        work = asyncio.create_task(self._answer(wish, count, mailbox))
        try:
            while mailbox.open or len(mailbox):
                yield await mailbox.take()
        finally:
            work.cancel()
            await asyncio.wait([work])
            if not work.cancelled():
                work.result()  # a mistake of ours must be seen

    async def read(self, prompt: Prompt) -> AsyncIterator[Reading]:
        """Nothing to do from here: a server reads when it drafts, and what it keeps of that is its own affair."""
        yield Reading(0, 0)

    async def count(self, texts: Sequence[str]) -> Counted:
        """Estimated: which vocabulary the server's model has is not said."""
        return estimated(texts)

    async def _answer(self, wish: Wish, count: int, mailbox: Mailbox) -> None:
        try:
            # A token is a character or more, as far as one can tell from here. A beginning alone is no draft.
            least = max(wish.sampling.min_tokens, 1 if wish.prompt.start_with else 0)
            await self._fill([Row(index, wish.prompt, mailbox, least) for index in range(count)], wish)
        except EngineError as error:
            mailbox.lose(str(error))
        except BaseException as error:
            mailbox.lose(f"{type(error).__name__}")
            raise

    async def _fill(self, rows: Sequence[Row], wish: Wish) -> None:
        """Until every row is done. Raises EngineError when one is lost."""
        tried: set[Server] = set()
        rounds, last = 0, Trouble(self._status.detail)
        while left := [row for row in rows if not row.begun]:
            server = self._next(tried)
            if server is None:
                rounds += 1
                await self._rest(rounds, last)
                tried.clear()
            elif len(left) > 1 and not server.takes_several(wish):
                return await self._fill_one_by_one(left, wish)
            else:
                try:
                    await self._attempt(server, left, wish)
                except Learned:
                    last = Trouble("服务器中断了回答 / the server cut the answer off")
                    continue  # at once, and differently: each thing is learned once
                except Trouble as trouble:
                    last = trouble
                tried.add(server)
        if any(not row.done for row in rows):
            raise EngineError(f"{last}。这条候选没有写完，请再试一次。 / A draft was lost half-way; ask again.")
        await asyncio.gather(*(self._go_on(row, wish) for row in rows if row.short))

    async def _go_on(self, row: Row, wish: Wish) -> None:
        """A draft that ended before its least length is continued, whatever the server knows of such a length."""
        for times in range(1, GO_ON + 1):
            server = self._next(set())
            if server is None or not row.short:
                break
            more = wish.after(row.added, times)
            row.go_on(more.echoes if server.form is Form.CHAT else ())
            try:
                await self._attempt(server, [row], more)
            except (Learned, Trouble, EngineError):
                break  # what there is, is a draft
        if row.short:
            self._miss({"min_tokens"})
        row.settle()

    async def _fill_one_by_one(self, rows: Sequence[Row], wish: Wish) -> None:
        """A request a draft. One that is lost does not take the others with it."""
        ends = await asyncio.gather(*(self._fill([row], wish) for row in rows), return_exceptions=True)
        errors = [end for end in ends if end is not None]
        for error in sorted(errors, key=lambda error: isinstance(error, EngineError)):
            raise error

    async def _attempt(self, server: Server, rows: Sequence[Row], wish: Wish) -> None:
        """One request. Raises Trouble or Learned, and EngineError where another attempt would be in vain."""
        async with self._slot():
            if self._http is None:
                raise EngineError("引擎停了。 / The engine has stopped.")
            for row in (row for row in rows if not row.begun):
                row.expect(wish.echoes if server.form is Form.CHAT else ())
            try:
                await server.ask(self._http, wish, rows, self._tell)
            except Trouble as trouble:
                server.heard(trouble)
                if not trouble.again:
                    raise EngineError(f"{trouble}。请检查设置或提示词的长度。 / Check the settings.") from trouble
                raise
            finally:
                if server.form:
                    self._miss(missed(server.form, wish, server.lacks | server.ignores))

    def _miss(self, names: set[str]) -> None:
        """Said once in the log, and in the status for as long as the program runs."""
        if new := names - self._missed:
            log.warning("the server does not know %s; left out", ", ".join(sorted(new)))
            self._missed |= new
        self._tell()

    def _next(self, tried: set[Server]) -> Server | None:
        """The first server that is well, wants no rest and was not tried in this round."""
        now = asyncio.get_running_loop().time()
        well = (server for server in self._servers if server.reach is Reach.READY and server.rests_until <= now)
        return next((server for server in well if server not in tried), None)

    async def _rest(self, rounds: int, trouble: Trouble) -> None:
        """Before the next round. Raises EngineError when there is to be none."""
        if rounds >= ROUNDS:
            raise EngineError(f"{trouble}。已经试了 {rounds} 轮，请稍后再试。 / Tried {rounds} times; ask again later.")
        now = asyncio.get_running_loop().time()
        rests = [server.rests_until - now for server in self._servers if server.reach is Reach.READY]
        wanted = max(0.0, min(rests, default=0.0))
        if wanted > LONGEST_PAUSE:
            raise EngineError(f"{trouble}。请 {wanted:.0f} 秒后再试。 / Ask again in {wanted:.0f} s.")
        own = self._waits.pause * 2 ** (rounds - 1) * random.uniform(0.5, 1.0)
        await asyncio.sleep(max(wanted, own))

    @contextlib.asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        """A place among the requests in flight."""
        if self._waiting >= MOST_WAITING:
            limit = f"engine.remote.max_in_flight: {self._max_in_flight}"
            raise EngineError(
                f"已有 {self._waiting} 个请求在等（{limit}），请稍后再试。 / Too many requests are waiting."
            )
        self._waiting += 1
        self._tell()
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._slots.release()

    # ---- what people see -----------------------------------------------------------------------------------------

    def _tell(self) -> None:
        """Whoever looks sees the figures of now; only a change of state or of words is announced."""
        before, self._status = self._status, self._present()
        if replace(before, figures={}) != replace(self._status, figures={}):
            self._on_status(self._status)

    def _present(self) -> EngineStatus:
        ready = [server for server in self._servers if server.reach is Reach.READY]
        figures = {
            "servers": float(len(self._servers)),
            "servers_ready": float(len(ready)),
            "in_flight": float(sum(server.in_flight for server in self._servers)),
            "waiting": float(self._waiting),
        }
        model = next((server.model for server in [*ready, *self._servers] if server.model), "")
        return EngineStatus(self._state(), model, "；".join(self._details(ready)), figures)

    def _state(self) -> EngineState:
        reaches = {server.reach for server in self._servers}
        if Reach.READY in reaches:
            return EngineState.READY
        if reaches <= {Reach.REFUSED}:
            return EngineState.FAILED
        if reaches <= {Reach.UNKNOWN, Reach.LOADING, Reach.REFUSED}:
            return EngineState.LOADING
        return EngineState.RESTARTING

    def _details(self, ready: Sequence[Server]) -> list[str]:
        said = [f"{ready[0].base}（{ready[0].form}）"] if ready else []
        if ready and self._missed:
            said.append(f"服务器不支持，已略去：{', '.join(sorted(self._missed))} / not supported, left out")
        if ready and ready[0].form is Form.CHAT:
            said.append("只有聊天接口，语气可能不如 /completions / chat form only")
        if ready and ready[0].alone:
            said.append("服务器一次只能答一个请求 / one request at a time")
        for server in self._servers:
            if server.reach is Reach.UNKNOWN:
                said.append(f"{server.base}：正在连接 / connecting")
            elif server.reach is not Reach.READY:
                said.append(f"{server.base}：{server.detail}")
        return said
