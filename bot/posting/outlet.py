"""Posts what was aired to a platform's chat: piece after piece, at the platform's pace, each at most once.

Nothing is tried again by itself: what did not arrive is said on the panel, and a person decides. Nothing is on disk:
after a restart there is nothing to send. A reply that leaves the air (taken back, over, emergency stop) takes along
whatever of it has not been sent.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from itertools import count
from typing import Protocol

from adapters.base import AdapterState
from adapters.echoes import Echoes
from bot.approval import Approved
from bot.pace import Pace
from bot.posting.pieces import Piece, cut
from bot.posting.texts import say

NOTICE_SECONDS = 600.0
NOTICES = 5  # so many pieces that did not arrive stand on the panel at a time
QUOTED = 20  # characters of a piece that did not arrive

log = logging.getLogger(__name__)


class NotDelivered(Exception):
    """This piece did not arrive, or nobody knows. The text tells an operator why."""


class CannotPost(NotDelivered):
    """Nor will any other before somebody has mended it: no permission, a token that has expired."""


class Poster(Protocol):
    """One platform's way to post. `limit` is in characters; `paces` are the platform's limits over time."""

    limit: int
    paces: Sequence[Pace]

    async def ready(self) -> str:
        """Finds out what is needed to post; "" or a line for the panel. Asked once at the start and before every piece."""
        ...

    async def post(self, piece: Piece) -> None:
        """Posts it, once. Raises NotDelivered."""
        ...


class ChatOutlet:
    """An outlet (bot/outlets.py) for one chat. `state` and `echoes` are those of the adapter that listens to it.

    `check` says why a text may not go out alone ("": it may): the whole was checked when it was approved, a piece of it
    can read differently. `repeat` is for how many seconds the same words are not posted again, 0: they may be at once.
    """

    def __init__(
        self,
        name: str,
        poster: Poster,
        state: AdapterState,
        echoes: Echoes,
        clock: Callable[[], float],
        *,
        check: Callable[[str], str] = lambda text: "",
        repeat: float = 0.0,
        lang: str = "zh",
    ) -> None:
        self.name = name
        self._poster = poster
        self._state = state
        self._echoes = echoes
        self._clock = clock
        self._check = check
        self._repeat = repeat
        self._lang = lang
        # Nobody waits to put one in: a reply is on the air for seconds, and one that leaves it leaves this row as well.
        self._waiting: deque[Piece] = deque()
        self._stirred = asyncio.Event()
        self._sending: tuple[Piece, asyncio.Task[None]] | None = None
        self._said: deque[tuple[float, str]] = deque(maxlen=100)
        self._ended = ""  # why nothing can be posted any more
        self._failures = count()

    # -- what the show calls ---------------------------------------------------------------------------------------

    async def show(self, reply: Approved) -> None:
        """Lets the pieces of a reply wait for their turn; a reply with a piece that may not go out alone stays here."""
        pieces = cut(reply, self._poster.limit)
        if len(pieces) > 1:
            for piece in pieces:
                if why := self._check(piece.text):
                    return self._failed(piece, say(self._lang, "blocked", why=why))
        self._waiting.extend(pieces)
        self._stirred.set()

    def hide(self, item_id: str) -> None:
        """What has not been sent of this reply never is."""
        self._take_back({piece for piece in self._waiting if piece.reply.id == item_id}, item_id)

    def clear(self) -> None:
        """What has not been sent never is."""
        self._take_back(set(self._waiting), None)

    # -- the clockwork ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled."""
        await self._begin()
        while True:
            while not self._waiting:
                self._stirred.clear()
                await self._stirred.wait()
            for pace in self._poster.paces:
                await pace.turn()
            if self._waiting:  # else it was taken back while it waited
                await self._send(self._waiting.popleft())

    async def _begin(self) -> None:
        """Says at once what is missing, not only when the first reply is lost for it."""
        try:
            if line := await self._poster.ready():
                self._state.note("posting", line, self._clock())
        except CannotPost as error:
            self._give_up(str(error))
        except NotDelivered as error:
            self._state.note("posting", str(error), self._clock())

    async def _send(self, piece: Piece) -> None:
        """One piece, in a task of its own: whoever takes it back cancels that."""
        task = asyncio.create_task(self._post(piece), name=f"posting to {self.name}")
        self._sending = piece, task
        try:
            await asyncio.wait({task})
        finally:
            self._sending = None
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if task.cancelled():
            return self._failed(piece, say(self._lang, "cut_off"))
        if (error := task.exception()) is None:
            return
        if isinstance(error, CannotPost):
            self._give_up(str(error))
        elif not isinstance(error, NotDelivered):
            log.error("%s: posting failed with %s", self.name, type(error).__name__)
            log.debug("in full", exc_info=error)  # what it says may quote the reply
        why = str(error) if isinstance(error, NotDelivered) else type(error).__name__
        self._failed(piece, why)
        self._drop_rest(piece)

    async def _post(self, piece: Piece) -> None:
        if self._ended:
            raise NotDelivered(self._ended)
        if self._said_lately(piece.text):
            raise NotDelivered(say(self._lang, "repeated"))
        if line := await self._poster.ready():
            self._state.note("posting", line, self._clock())
        self._echoes.sent(piece.text)  # before it is sent: it may come back before the answer does
        await self._poster.post(piece)
        self._said.append((self._clock(), piece.text))

    def _said_lately(self, text: str) -> bool:
        since = self._clock() - self._repeat
        return any(said == text and at > since for at, said in self._said)

    # -- what did not go out ---------------------------------------------------------------------------------------

    def _take_back(self, pieces: set[Piece], item_id: str | None) -> None:
        """`item_id` None: of every reply."""
        self._waiting = deque(piece for piece in self._waiting if piece not in pieces)
        for piece in sorted(pieces, key=lambda piece: piece.start)[:1]:
            self._failed(piece, say(self._lang, "off_air", count=len(pieces)))
        if self._sending is not None and item_id in (None, self._sending[0].reply.id):
            self._sending[1].cancel()

    def _drop_rest(self, piece: Piece) -> None:
        """The rest of a reply whose beginning is missing would make no sense."""
        rest = {other for other in self._waiting if other.reply.id == piece.reply.id}
        self._waiting = deque(other for other in self._waiting if other not in rest)

    def _give_up(self, why: str) -> None:
        self._ended = why
        self._state.note("posting", why, self._clock())

    def _failed(self, piece: Piece, why: str) -> None:
        words = piece.text if len(piece.text) <= QUOTED else piece.text[:QUOTED] + "…"
        key = f"undelivered {next(self._failures) % NOTICES}"
        self._state.note(key, say(self._lang, "undelivered", words=words, why=why), self._clock(), NOTICE_SECONDS)
