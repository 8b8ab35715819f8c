"""YouTube's API on this machine: one broadcast with a chat, the errors in Google's own form, and what it was asked.

What goes wrong is a list of faults; each request takes the next one, and those after the last go well.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Self

from aiohttp import web

KEY = "fake-key"
VIDEO = "abcdefghijk"
CHAT = "chat-1"


class YouTube:
    """Change the attributes to make it another broadcast. A page's token is the number of items before it."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self.items: list[Any] = list(items)
        self.details: dict[str, Any] | None = {"activeLiveChatId": CHAT}  # None: there is no such video
        self.polling: Any = 5000
        self.offline: str | None = None
        self.gives_tokens = True
        self.faults: deque[web.Response] = deque()
        self.asked: list[web.Request] = []

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/videos", self._videos)
        app.router.add_get("/liveChat/messages", self._messages)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @property
    def looks(self) -> list[web.Request]:
        return [request for request in self.asked if request.path == "/liveChat/messages"]

    async def _videos(self, request: web.Request) -> web.Response:
        if fault := self._fault(request):
            return fault
        assert (request.query["part"], request.query["id"]) == ("liveStreamingDetails", VIDEO)
        items = [] if self.details is None else [{"id": VIDEO, "liveStreamingDetails": self.details}]
        return web.json_response({"kind": "youtube#videoListResponse", "items": items})

    async def _messages(self, request: web.Request) -> web.Response:
        if fault := self._fault(request):
            return fault
        assert request.query["part"] == "id,snippet,authorDetails"
        if request.query["liveChatId"] != CHAT:
            return refusal(404, "liveChatNotFound")
        page: dict[str, Any] = {
            "kind": "youtube#liveChatMessageListResponse",
            "pollingIntervalMillis": self.polling,
            "pageInfo": {"totalResults": len(self.items), "resultsPerPage": len(self.items)},
            "items": self.items[int(request.query.get("pageToken", "0")) :],
        }
        if self.gives_tokens:
            page["nextPageToken"] = str(len(self.items))
        if self.offline:
            page["offlineAt"] = self.offline
        return web.json_response(page)

    def _fault(self, request: web.Request) -> web.Response | None:
        """Every request is kept; one without the key in its header is refused, and one that has it elsewhere is a mistake."""
        self.asked.append(request)
        assert KEY not in str(request.url)
        if self.faults:
            return self.faults.popleft()
        return None if request.headers.get("X-Goog-Api-Key") == KEY else key_invalid()


def refusal(status: int, reason: str, message: str = "It does not work.") -> web.Response:
    error = {"code": status, "message": message, "errors": [{"message": message, "domain": "x", "reason": reason}]}
    return web.json_response({"error": error}, status=status)


def key_invalid() -> web.Response:
    """As Google says it today: the old place has only `badRequest`."""
    message = "API key not valid. Please pass a valid API key."
    error = {
        "code": 400,
        "message": message,
        "errors": [{"message": message, "domain": "global", "reason": "badRequest"}],
        "status": "INVALID_ARGUMENT",
        "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}],
    }
    return web.json_response({"error": error}, status=400)
