"""Listens to a YouTube live chat by the official API: one page after the other, as seldom as YouTube and the quota ask.

https://developers.google.com/youtube/v3/live/docs/liveChatMessages/list . An API key is enough for a public chat. The key
travels in a header, so that no address in an error or a log holds it, and to no other host: redirects are not followed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, Unpack

from aiohttp import ClientSession, ClientTimeout

from adapters.base import AdapterError, Seen
from adapters.bodies import read_body
from adapters.fields import at, number, text
from adapters.supervisor import Core, Ended, Retry, Supervised, WaitLong
from adapters.texts import say
from adapters.youtube.quota import FIND, LOOK, Quota
from adapters.youtube.reading import PLATFORM, Reason, published, read, video_id
from bot.messages import Event, Message, Withdrawn

URL = "https://www.googleapis.com/youtube/v3"
BODY_BYTES = 8 << 20
CALL = ClientTimeout(total=30)
SHORTEST, LONGEST = 1.0, 60.0  # seconds between two looks, whatever YouTube asks for
NAP = 15.0  # minutes: the longest wait at a stretch, for the core adds up to a quarter to it

NO_KEY = frozenset({"keyInvalid", "keyExpired", "API_KEY_INVALID", "API_KEY_SERVICE_BLOCKED", "ipRefererBlocked"})
NO_QUOTA = frozenset({"quotaExceeded", "dailyLimitExceeded"})
TOO_FAST = frozenset({"rateLimitExceeded", "userRateLimitExceeded"})
OLD_PAGE = frozenset({"pageTokenInvalid", "invalidPageToken", "liveChatPageTokenInvalid"})
ADVICE = {
    "accessNotConfigured": "youtube_no_api",
    "SERVICE_DISABLED": "youtube_no_api",
    "forbidden": "youtube_forbidden",
    "liveChatDisabled": "youtube_no_chat",
}


class YouTubeAdapter(Supervised):
    """The chat of one broadcast: `video` is its id or address; `live_chat_id`, where it is known, saves a call.

    `daily_quota` in units, 0: not counted; `hours`: how long they have to last. Raises AdapterError where a setting can
    never work.
    """

    resumes = True  # the next page begins where the last one ended

    def __init__(
        self,
        video: str = "",
        api_key: str = "",
        *,
        live_chat_id: str = "",
        daily_quota: int = 10_000,
        hours: float = 4.0,
        url: str = URL,
        **core: Unpack[Core],
    ) -> None:
        super().__init__(PLATFORM, **core)
        if not api_key:
            raise AdapterError(say(self.lang, "youtube_key_missing"))
        found = "" if live_chat_id else video_id(video)
        if found is None:
            raise AdapterError(say(self.lang, "youtube_video", value=video[:80]))
        self._video = found
        self._chat = live_chat_id
        self._key = api_key
        self._url = url
        self._quota = Quota(daily_quota, hours, self.clock)
        self._sleep = core.get("sleep", asyncio.sleep)
        self._page = ""  # the token of the next one; "": from the beginning of what YouTube keeps
        self._seen = Seen()
        self._newest: float | None = None  # when the newest item was published; None: we have not looked yet

    async def connection(self) -> AsyncIterator[Event]:
        async with ClientSession(timeout=CALL, trust_env=True, headers={"X-Goog-Api-Key": self._key}) as session:
            if not self._chat:
                self._chat = await self._find(session)
            while True:
                page = await self._look(session)
                self.healthy()
                self.alive()
                ended = False
                for found in self._news(page):
                    if isinstance(found, Message | Withdrawn):
                        yield found
                    ended = ended or found is Reason.ENDED
                if ended or at(page, "offlineAt"):
                    raise Ended(say(self.lang, "youtube_ended"))
                await self._sleep(self._until_next(page))

    async def _find(self, session: ClientSession) -> str:
        """The id of the broadcast's chat."""
        answer = await self._ask(session, "videos", FIND, part="liveStreamingDetails", id=self._video)
        details = at(answer, "items", 0, "liveStreamingDetails")
        if chat := text(at(details, "activeLiveChatId")):
            return chat
        if at(answer, "items") == []:
            raise AdapterError(say(self.lang, "youtube_no_video", video=self._video))
        if at(details, "actualEndTime"):
            raise Ended(say(self.lang, "youtube_ended"))
        raise WaitLong(1, say(self.lang, "youtube_not_yet"))

    async def _look(self, session: ClientSession) -> dict[str, Any]:
        asked = {"liveChatId": self._chat, "part": "id,snippet,authorDetails", "maxResults": "2000"}
        if self._page:
            asked["pageToken"] = self._page
        return await self._ask(session, "liveChat/messages", LOOK, **asked)

    def _news(self, page: dict[str, Any]) -> Iterator[Event | Reason]:
        """What is new on this page. The first one is history; so is, on one that begins anew after the token was lost,
        what we have seen and what is older than the newest that we know."""
        items = at(page, "items")
        items = items if isinstance(items, list) else []
        known, history = self._newest, not self._page
        times = [published(item) or 0.0 for item in items]
        self._newest = max([known or 0.0, *times])
        self._page = text(at(page, "nextPageToken"))
        for item, time in zip(items, times, strict=True):
            unseen = self._seen.first(text(at(item, "id")), self.clock())
            found = read(item, self.clock())
            if found is Reason.BROKEN:
                self.state.bad += 1
            elif not history or found is Reason.ENDED or (known is not None and unseen and time >= known):
                yield found

    def _until_next(self, page: dict[str, Any]) -> float:
        asked = (number(at(page, "pollingIntervalMillis")) or 5000) / 1000
        pause = self._quota.pause(min(max(asked, SHORTEST), LONGEST))
        if self._quota.limit:
            words = say(self.lang, "youtube_quota", used=self._quota.used, limit=self._quota.limit, seconds=pause)
            self.notice("quota", words)
        return pause

    # -- one call --------------------------------------------------------------------------------------------------

    async def _ask(self, session: ClientSession, what: str, units: int, **asked: str) -> dict[str, Any]:
        """The answer. Everything else is an exception that says what happens next."""
        if not self._quota.spend(units):
            raise self._used_up()
        async with session.get(f"{self._url}/{what}", params=asked, allow_redirects=False) as response:
            status, body = response.status, await read_body(response, BODY_BYTES)
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        if status == 200 and isinstance(answer, dict):
            return answer
        raise self._refusal(status, answer)

    def _refusal(self, status: int, answer: object) -> Exception:
        """What an answer other than a page comes to. https://developers.google.com/youtube/v3/live/docs/errors"""
        why = _reasons(answer)
        said = " ".join(text(at(answer, "error", "message"), 200).split())
        if why & NO_QUOTA:
            self._quota.use_up()
            return self._used_up()
        if why & TOO_FAST or status == 429:
            return WaitLong(1, say(self.lang, "youtube_too_fast"))
        if why & NO_KEY:
            return AdapterError(say(self.lang, "youtube_key", why=said))
        if why & OLD_PAGE:
            self._page = ""
            return Retry(say(self.lang, "youtube_old_page"))
        if "liveChatEnded" in why:
            return Ended(say(self.lang, "youtube_ended"))
        if "liveChatNotFound" in why:
            return self._chat_gone()
        for reason, key in ADVICE.items():
            if reason in why:
                return AdapterError(say(self.lang, key, why=said))
        return Retry(f"HTTP {status} {' '.join(sorted(why))}".strip()[:120])

    def _chat_gone(self) -> Exception:
        """The id was wrong; or, where we had it from the video, the broadcast has another chat now, or none."""
        if not self._video:
            return AdapterError(say(self.lang, "youtube_wrong_chat", chat=self._chat))
        self._chat = self._page = ""
        return Retry(say(self.lang, "youtube_chat_gone"))

    def _used_up(self) -> WaitLong:
        """Until midnight Pacific time, in naps: whoever wakes up early is sent back to bed without a call."""
        left = self._quota.seconds_left
        words = say(self.lang, "youtube_used_up", used=self._quota.used, limit=self._quota.limit, hours=left / 3600)
        self.notice("quota", words)
        return WaitLong(min(NAP, left / 60), words)


def _reasons(answer: object) -> set[str]:
    """Google says why in two places, the newer of them in capitals."""
    error = at(answer, "error")
    lists = (at(error, "errors"), at(error, "details"))
    return {text(at(one, "reason"), 60) for some in lists if isinstance(some, list) for one in some} - {""}
