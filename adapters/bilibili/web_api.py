"""What has to be asked by HTTP before a room's websocket can be called. Unofficial: as Bilibili's own pages ask it.

SESSDATA is the account. It goes to the two API hosts over https and nowhere else: not to the chat servers, not along a
redirect, not into a log.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from aiohttp import ClientResponse, ClientSession, ClientTimeout
from yarl import URL

from adapters.base import AdapterError
from adapters.bilibili import wbi
from adapters.bilibili.texts import say
from adapters.fields import at, text, whole
from adapters.supervisor import Retry, WaitLong

USER_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)
ACCOUNT_HOSTS = frozenset({"api.bilibili.com", "api.live.bilibili.com"})
DEFAULT_HOST = ("broadcastlv.chat.bilibili.com", 443)

BODY_BYTES = 1 << 20
TIMEOUT = ClientTimeout(total=10.0)
KEY_SECONDS = 12 * 3600 - 30  # how long a WBI key may be kept

NOT_LOGGED_IN = -101
NO_ROOM = frozenset({1, 60004, 19002000, 19002005, -400, -404})
LEAVE_ALONE = {-352: 10.0, -412: 10.0, -401: 10.0, -509: 5.0, -799: 5.0}  # risk control, too many calls: minutes
STATUS_MINUTES = {412: 10.0, 429: 5.0, 403: 10.0}
PAGE_MINUTES = 5.0  # a page in place of data: a captcha, or a notice of works


@dataclass(frozen=True, slots=True)
class Places:
    """Where Bilibili is. `websocket`: called in place of the hosts that the API names."""

    api: str = "https://api.bilibili.com"
    live: str = "https://api.live.bilibili.com"
    www: str = "https://www.bilibili.com"
    open_live: str = "https://live-open.biliapi.com"
    websocket: str = ""


BILIBILI = Places()


@dataclass(frozen=True, slots=True)
class RoomInfo:
    """`number` is the long one. `owner` is the streamer's uid."""

    number: int
    owner: int
    live: bool


@dataclass(frozen=True, slots=True)
class Account:
    """Who Bilibili takes us for, and the key that requests are signed with. `uid` 0: a guest."""

    uid: int
    key: str


class WebApi:
    """One session's view of Bilibili. Raises Retry, WaitLong, AdapterError as an adapter's connection does."""

    def __init__(
        self,
        session: ClientSession,
        places: Places = BILIBILI,
        *,
        sessdata: str = "",
        user_agent: str = USER_AGENT,
        lang: str = "zh",
    ) -> None:
        self._session = session
        self._places = places
        self._sessdata = account_cookie(sessdata)
        self._lang = lang
        self.headers = {"User-Agent": user_agent}
        self.buvid3 = ""

    async def account(self) -> Account:
        """Guests are answered with −101, and with a key."""
        answer = await self._get(f"{self._places.api}/x/web-interface/nav")
        if whole(at(answer, "code")) != NOT_LOGGED_IN:
            self._good(answer)
        uid = whole(at(answer, "data", "mid")) if at(answer, "data", "isLogin") is True else 0
        return Account(uid, wbi.key_of(answer))

    async def find_buvid3(self) -> None:
        """A visitor's number, which the servers ask for since 2023; kept from then on."""
        if self.buvid3:
            return
        async with self._session.get(
            f"{self._places.www}/", headers=self.headers, timeout=TIMEOUT, allow_redirects=False
        ) as response:
            cookie = response.cookies.get("buvid3")
        kept = self._session.cookie_jar.filter_cookies(URL(f"{self._places.www}/")).get("buvid3")
        self.buvid3 = next((found.value for found in (cookie, kept) if found is not None), "")
        if not self.buvid3:
            answer = await self._get(f"{self._places.api}/x/frontend/finger/spi")
            self.buvid3 = text(at(answer, "data", "b_3"), 200)

    async def room(self, number: int) -> RoomInfo:
        """AdapterError when there is none. `number` may be the short one that pages show."""
        answer = await self._get(f"{self._places.live}/room/v1/Room/get_info", {"room_id": number})
        code = whole(at(answer, "code"))
        if code in NO_ROOM:
            raise AdapterError(say(self._lang, "no_room", room=number, code=code))
        data = self._good(answer)
        return RoomInfo(
            whole(at(data, "room_id")) or number, whole(at(data, "uid")), whole(at(data, "live_status")) == 1
        )

    async def chat_servers(self, room: int, key: str, now: float) -> tuple[str, list[tuple[str, int]]]:
        """A token, good for one login, and the servers that take it: names and ports."""
        parameters = wbi.signed({"id": room, "type": 0}, key, now)
        data = self._good(await self._get(f"{self._places.live}/xlive/web-room/v1/index/getDanmuInfo", parameters))
        token = text(at(data, "token"))
        if not token:
            raise Retry(say(self._lang, "no_token"))
        return token, list(_hosts(at(data, "host_list"))) or [DEFAULT_HOST]

    def may_have_account(self, url: URL) -> bool:
        return url.scheme == "https" and url.host in ACCOUNT_HOSTS

    async def _get(self, place: str, parameters: Mapping[str, object] | None = None) -> object:
        url = URL(place).with_query({name: str(value) for name, value in (parameters or {}).items()})
        cookies = {"buvid3": self.buvid3} if self.buvid3 else {}
        if self._sessdata and self.may_have_account(url):
            cookies["SESSDATA"] = self._sessdata
        async with self._session.get(
            url, headers=self.headers | _cookie_header(cookies), timeout=TIMEOUT, allow_redirects=False
        ) as response:
            return await answer(response, self._lang)

    def _good(self, answer: object) -> dict[str, Any]:
        """The answer's data, where its code is 0."""
        code = whole(at(answer, "code"))
        if code in LEAVE_ALONE:
            raise WaitLong(LEAVE_ALONE[code], say(self._lang, "risk", code=code))
        data = at(answer, "data")
        if code != 0 or not isinstance(data, dict):
            raise Retry(say(self._lang, "code", code=code, message=plain(at(answer, "message"))))
        return data


async def answer(response: ClientResponse, lang: str) -> object:
    """The JSON of an answer, whatever its type says."""
    if response.status in STATUS_MINUTES:
        raise WaitLong(STATUS_MINUTES[response.status], say(lang, "risk", code=response.status))
    if response.status != 200:
        raise Retry(say(lang, "status", status=response.status))
    try:
        return await _json(response)
    except ValueError:
        raise WaitLong(PAGE_MINUTES, say(lang, "not_json", status=response.status)) from None


async def _json(response: ClientResponse) -> object:
    """ValueError: it is none, or longer than any answer."""
    body = b""
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > BODY_BYTES:
            raise ValueError("too long")
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError(str(error)) from None


def account_cookie(sessdata: str) -> str:
    """As browsers keep it, so that nothing in it can end the header."""
    return quote(sessdata, safe="%")


def plain(words: object) -> str:
    """A server's words in a line of ours."""
    return " ".join(text(words, 100).split())


def _hosts(listed: object) -> Iterable[tuple[str, int]]:
    for one in listed if isinstance(listed, list) else []:
        host, port = text(at(one, "host"), 200), whole(at(one, "wss_port"))
        if host and all(letter.isalnum() or letter in ".-" for letter in host) and 0 < port < 65536:
            yield host, port


def _cookie_header(cookies: Mapping[str, str]) -> dict[str, str]:
    """Of this one request: a jar would also serve the chat servers."""
    return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())} if cookies else {}
