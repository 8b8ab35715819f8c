"""Posts to a Twitch chat by Helix, with a user's token. Twitch may answer 200 and not post: `is_sent` says so.

https://dev.twitch.tv/docs/api/reference/#send-chat-message . The token is in a header of every request and in nothing
else; redirects are not followed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from aiohttp import ClientError, ClientSession, ClientTimeout

from adapters.bodies import read_body
from adapters.echoes import Echoes
from adapters.fields import at, text
from bot.pace import Pace
from bot.posting.outlet import CannotPost, NotDelivered
from bot.posting.pieces import Piece
from bot.posting.texts import say

HELIX = "https://api.twitch.tv/helix"
IDENTITY = "https://id.twitch.tv/oauth2"
SCOPE = "user:write:chat"
LIMIT = 500  # characters
RATE = (20, 30.0)  # so many in so many seconds, for an account that is no moderator
APART = (1, 1.0)  # and no more than one a second in a channel
VALID_SECONDS = 3600.0  # Twitch wants a token to be validated once an hour
CALL = ClientTimeout(total=10)
BODY_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class _Account:
    """Who posts where, by Twitch's ids. `since`: when the token was last found valid."""

    client: str
    sender: str
    broadcaster: str
    since: float


class TwitchPoster:
    """Posts to `channel` (a login name). `clock` in seconds, never falling; `url` and `identity` are for tests."""

    limit = LIMIT

    def __init__(
        self,
        channel: str,
        token: str,
        echoes: Echoes,
        clock: Callable[[], float],
        *,
        url: str = HELIX,
        identity: str = IDENTITY,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        lang: str = "zh",
    ) -> None:
        self._channel = channel
        self._token = token
        self._echoes = echoes
        self._clock = clock
        self._url = url
        self._identity = identity
        self._lang = lang
        self._account: _Account | None = None
        self.paces: Sequence[Pace] = (Pace(*RATE, clock=clock, sleep=sleep), Pace(*APART, clock=clock, sleep=sleep))

    async def ready(self) -> str:
        """Validates the token and looks the channel up, once an hour. Raises CannotPost with what to do."""
        if self._account is not None and self._clock() - self._account.since < VALID_SECONDS:
            return ""
        status, token = await self._call("GET", f"{self._identity}/validate", {"Authorization": f"OAuth {self._token}"})
        if status == 401:
            raise CannotPost(say(self._lang, "twitch_token"))
        if status != 200:
            raise self._odd(status)
        client, sender, name = (text(at(token, key)) for key in ("client_id", "user_id", "login"))
        scopes = at(token, "scopes")
        if not sender:
            raise CannotPost(say(self._lang, "twitch_no_user", missing=SCOPE))
        if not isinstance(scopes, list) or SCOPE not in scopes:
            raise CannotPost(say(self._lang, "twitch_scope", missing=SCOPE))
        broadcaster = await self._broadcaster(client)
        if sender != broadcaster:  # the streamer's own account writes by hand as well: there the words decide
            self._echoes.mine(sender)
        self._account = _Account(client, sender, broadcaster, self._clock())
        return say(self._lang, "twitch_ready", name=name, channel=self._channel)

    async def post(self, piece: Piece) -> None:
        """Once. What Twitch answers decides whether it is there; without an answer nobody knows."""
        account = self._account
        assert account is not None, "ready() comes first"
        body = {"broadcaster_id": account.broadcaster, "sender_id": account.sender, "message": piece.text}
        status, answer = await self._call("POST", f"{self._url}/chat/messages", self._headers(account.client), body)
        if status != 200:
            raise self._refusal(status, answer)
        match at(answer, "data", 0, "is_sent"):
            case True:
                return
            case False:
                reason = at(answer, "data", 0, "drop_reason")
                words, code = text(at(reason, "message"), 200), text(at(reason, "code"), 60)
                raise NotDelivered(say(self._lang, "twitch_dropped", why=words, code=code or "?"))
        raise self._odd(status)

    async def _broadcaster(self, client: str) -> str:
        url = f"{self._url}/users?login={self._channel}"
        status, answer = await self._call("GET", url, self._headers(client))
        if status != 200:
            raise self._refusal(status, answer)
        if not (found := text(at(answer, "data", 0, "id"))):
            raise CannotPost(say(self._lang, "twitch_no_channel", channel=self._channel))
        return found

    def _headers(self, client: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}", "Client-Id": client}

    def _refusal(self, status: int, answer: object) -> NotDelivered:
        why = " ".join(text(at(answer, "message"), 200).split())
        if status == 401:
            return CannotPost(f"{say(self._lang, 'twitch_token')} {why}".strip())
        if status == 429:
            return NotDelivered(say(self._lang, "twitch_too_fast"))
        if 400 <= status < 500:
            return NotDelivered(say(self._lang, "twitch_refused", why=why or f"HTTP {status}"))
        return self._odd(status)

    def _odd(self, status: int) -> NotDelivered:
        return NotDelivered(say(self._lang, "odd_answer", platform="Twitch", status=status))

    async def _call(self, method: str, url: str, headers: Mapping[str, str], body: object = None) -> tuple[int, object]:
        """The status and the JSON, None where it is none."""
        try:
            async with (
                ClientSession(timeout=CALL, trust_env=True) as session,
                session.request(method, url, headers=headers, json=body, allow_redirects=False) as response,
            ):
                return response.status, _json(await read_body(response, BODY_BYTES))
        except (ClientError, TimeoutError, OSError) as error:
            why = type(error).__name__
            raise NotDelivered(say(self._lang, "no_answer", platform="Twitch", why=why)) from None


def _json(data: bytes) -> object:
    try:
        found: object = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return found
