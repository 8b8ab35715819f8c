"""Posts to a Bilibili room with an account's cookies: the only way there is, and an unofficial one.

Bilibili may answer "fine" and show the words to nobody: its message is then `f` (the site's filter) or `k` (the room's).
The cookies are the account: they go to the API over https and nowhere else; redirects are not followed.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from urllib.parse import quote

from aiohttp import ClientSession, DummyCookieJar
from yarl import URL

from adapters.base import AdapterError
from adapters.bilibili.web_api import (
    BILIBILI,
    LEAVE_ALONE,
    TIMEOUT,
    USER_AGENT,
    Places,
    WebApi,
    account_cookie,
    answer,
    plain,
)
from adapters.echoes import Echoes
from adapters.fields import at, text, whole
from adapters.supervisor import NETWORK_ERRORS, Retry, WaitLong
from bot.pace import Pace
from bot.posting.outlet import CannotPost, NotDelivered
from bot.posting.pieces import Piece
from bot.posting.texts import say

LENGTH = 20  # characters; accounts of a higher level may write 30
APART = (1, 1.5)  # one at most in so many seconds
REPEAT_SECONDS = 60.0  # within which Bilibili refuses the same words again
KNOWN_SECONDS = 3600.0  # for how long what was found out about account and room holds

NOT_LOGGED_IN, BAD_CSRF = -101, -111
SITE_FILTER, ROOM_FILTER = "f", "k"
FINE = frozenset({"", "0", "ok"})


@dataclass(frozen=True, slots=True)
class Cookies:
    """SESSDATA and bili_jct of the account that posts. Both are needed."""

    sessdata: str
    bili_jct: str

    def __repr__(self) -> str:
        return "Cookies(…)"

    def header(self) -> str:
        return f"SESSDATA={account_cookie(self.sessdata)}; bili_jct={quote(self.bili_jct)}"


class BilibiliPoster:
    """Posts to `room_id` (the short number will do). `clock` in seconds, never falling; the rest is for tests."""

    def __init__(
        self,
        room_id: int,
        cookies: Cookies,
        echoes: Echoes,
        clock: Callable[[], float],
        *,
        limit: int = LENGTH,
        user_agent: str = USER_AGENT,
        session: ClientSession | None = None,
        places: Places = BILIBILI,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        lang: str = "zh",
    ) -> None:
        self.limit = limit
        self._room_id = room_id
        self._cookies = cookies
        self._echoes = echoes
        self._clock = clock
        self._user_agent = user_agent
        self._session = session
        self._places = places
        self._lang = lang
        self._room = 0  # the long number, once it is known
        self._since = 0.0
        self.paces: Sequence[Pace] = (Pace(*APART, clock=clock, sleep=sleep),)

    async def ready(self) -> str:
        """Asks who the cookies are and which room it is, once an hour. Raises CannotPost with what to do."""
        if self._room and self._clock() - self._since < KNOWN_SECONDS:
            return ""
        try:
            async with self._call() as session:
                api = WebApi(
                    session,
                    self._places,
                    sessdata=self._cookies.sessdata,
                    user_agent=self._user_agent,
                    lang=self._lang,
                )
                account = await api.account()
                room = await api.room(self._room_id)
        except AdapterError as error:
            raise CannotPost(str(error)) from None
        except (Retry, WaitLong) as error:
            raise NotDelivered(str(error)) from None
        except NETWORK_ERRORS as error:
            raise NotDelivered(say(self._lang, "bilibili_away", why=type(error).__name__)) from None
        if not account.uid:
            raise CannotPost(say(self._lang, "bilibili_account"))
        if account.uid != room.owner:  # streamers also write by hand: there the words decide
            self._echoes.mine(str(account.uid))
        self._room, self._since = room.number, self._clock()
        return say(self._lang, "bilibili_ready", uid=account.uid, room=room.number)

    async def post(self, piece: Piece) -> None:
        """Once. Without an answer nobody knows whether it is there."""
        assert self._room, "ready() comes first"
        url = URL(f"{self._places.live}/msg/send")
        if url.scheme != "https":
            raise CannotPost(say(self._lang, "bilibili_plain"))
        fields = {
            "msg": piece.text,
            "roomid": str(self._room),
            "rnd": str(int(time.time())),
            "csrf": self._cookies.bili_jct,
            "csrf_token": self._cookies.bili_jct,
            "color": "16777215",
            "fontsize": "25",
            "mode": "1",
            "bubble": "0",
        }
        headers = {
            "User-Agent": self._user_agent,
            "Origin": "https://live.bilibili.com",
            "Referer": f"https://live.bilibili.com/{self._room}",
            "Cookie": self._cookies.header(),
        }
        try:
            async with (
                self._call() as session,
                session.post(url, data=fields, headers=headers, timeout=TIMEOUT, allow_redirects=False) as response,
            ):
                found = await answer(response, self._lang)
        except (Retry, WaitLong) as error:
            raise NotDelivered(str(error)) from None
        except NETWORK_ERRORS as error:
            why = type(error).__name__
            raise NotDelivered(say(self._lang, "no_answer", platform="Bilibili", why=why)) from None
        self._judge(found)

    def _judge(self, found: object) -> None:
        """Raises NotDelivered unless the answer says that the words are there."""
        code, told = whole(at(found, "code")), text(at(found, "message"), 200) or text(at(found, "msg"), 200)
        if at(found, "code") is None:
            raise NotDelivered(say(self._lang, "odd_answer", platform="Bilibili", status=200))
        if code == NOT_LOGGED_IN:
            raise CannotPost(say(self._lang, "bilibili_account"))
        if code == BAD_CSRF:
            raise CannotPost(say(self._lang, "bilibili_csrf"))
        if code in LEAVE_ALONE:
            raise NotDelivered(say(self._lang, "bilibili_risk", code=code))
        if code == 0 and told == SITE_FILTER:
            raise NotDelivered(say(self._lang, "bilibili_site"))
        if code == 0 and told == ROOM_FILTER:
            raise NotDelivered(say(self._lang, "bilibili_room"))
        if code != 0 or told not in FINE:
            raise NotDelivered(say(self._lang, "bilibili_refused", code=code, why=plain(told)))

    def _call(self) -> AbstractAsyncContextManager[ClientSession]:
        """A session without a memory for cookies."""
        if self._session is not None:
            return nullcontext(self._session)
        return ClientSession(cookie_jar=DummyCookieJar())
