"""A hub for model files on this machine: it redirects to a content server at another name and port, as the real ones do.

What goes wrong is a list of faults; each request for content takes the next one, and those after the last go well.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import deque
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from aiohttp import web

from bot.engine.models.download import Source

Fault = Callable[["Hub", web.Request], Awaitable[web.StreamResponse]]


class Hub:
    """Serves `content` under every name. Change the attributes to make it another kind of hub."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.etag: str | None = '"first"'  # of the content server; None: it sends none
        self.linked_size: int | None = len(content)  # what the hub says; None: nothing
        self.linked_sum: str | None = hashlib.sha256(content).hexdigest()
        self.listing: dict[str, object] | None = None
        self.knows_ranges = True
        self.range_status = 206
        self.redirect: str | None = None  # instead of the content server's address
        self.faults: deque[Fault] = deque()
        self.hub_faults: deque[Fault] = deque()
        self.asked: list[web.Request] = []  # of the content server
        self.sent = 0

    async def __aenter__(self) -> Self:
        self._content_server, content_port = await _serve(self._answer_content)
        self._hub_server, port = await _serve(self._answer_hub)
        self._content_url = f"http://localhost:{content_port}/signed/a%2Fb?Expires=1&Policy=x%3D~y"
        self.url = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._hub_server.cleanup()
        await self._content_server.cleanup()

    @property
    def source(self) -> Source:
        listing = f"{self.url}/listing" if self.listing is not None else ""
        return Source("hub", f"{self.url}/BlinkDL/rwkv7-g1/resolve/main", listing)

    def replace(self, content: bytes, etag: str | None) -> None:
        """Somebody uploads another file under the same name."""
        self.content, self.etag = content, etag
        self.linked_size, self.linked_sum = len(content), hashlib.sha256(content).hexdigest()

    async def _answer_hub(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/listing":
            return web.json_response(self.listing)
        if self.hub_faults:
            return await self.hub_faults.popleft()(self, request)
        headers = {"Location": self.redirect or self._content_url}
        if self.linked_size is not None:
            headers["X-Linked-Size"] = str(self.linked_size)
        if self.linked_sum is not None:
            headers["X-Linked-ETag"] = f'"{self.linked_sum}"'
        return web.Response(status=302, headers=headers, text="Found. Redirecting")

    async def _answer_content(self, request: web.Request) -> web.StreamResponse:
        assert request.raw_path == "/signed/a%2Fb?Expires=1&Policy=x%3D~y", "a signed address must not be changed"
        self.asked.append(request)
        if self.faults:
            return await self.faults.popleft()(self, request)
        return await self.give(request)

    async def give(self, request: web.Request, stop_after: int | None = None) -> web.StreamResponse:
        """The rest of the file, broken off after so many bytes."""
        start, status, headers = 0, 200, {"Content-Type": "application/octet-stream"}
        if self.etag is not None:
            headers["ETag"] = self.etag
        wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        unchanged = request.headers.get("If-Range") in (None, self.etag)
        if wanted and self.knows_ranges and unchanged:
            start, status = int(wanted[1]), self.range_status
            if start >= len(self.content):
                return web.Response(status=416, headers={"Content-Range": f"bytes */{len(self.content)}"})
            headers["Content-Range"] = f"bytes {start}-{len(self.content) - 1}/{len(self.content)}"
        body = self.content[start:]
        response = web.StreamResponse(status=status, headers={**headers, "Content-Length": str(len(body))})
        await response.prepare(request)
        return await self.send(request, response, body if stop_after is None else body[:stop_after], len(body))

    async def send(
        self, request: web.Request, response: web.StreamResponse, data: bytes, of: int
    ) -> web.StreamResponse:
        await response.write(data)
        self.sent += len(data)
        if len(data) < of and request.transport is not None:
            request.transport.close()
        return response


def breaks_off(after: int) -> Fault:
    async def fault(hub: Hub, request: web.Request) -> web.StreamResponse:
        return await hub.give(request, stop_after=after)

    return fault


def says(status: int, text: str = "", kind: str = "text/plain", **headers: str) -> Fault:
    async def fault(hub: Hub, request: web.Request) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, text=text, content_type=kind, headers=named)

    return fault


def without_length(data: bytes) -> Fault:
    """A body in chunks, so that its end looks like the file's end."""

    async def fault(hub: Hub, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        response.enable_chunked_encoding()
        await response.prepare(request)
        return await hub.send(request, response, data, len(data))

    return fault


def falls_silent(after: int) -> Fault:
    async def fault(hub: Hub, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": str(len(hub.content))})
        await response.prepare(request)
        await response.write(hub.content[:after])
        await asyncio.Event().wait()
        return response

    return fault


def claims_place(start: int) -> Fault:
    """Answers a range with another one than was asked for."""

    async def fault(hub: Hub, request: web.Request) -> web.StreamResponse:
        size = len(hub.content)
        place = {"Content-Range": f"bytes {start}-{size - 1}/{size}", "Content-Type": "application/octet-stream"}
        return web.Response(status=206, body=hub.content[start:], headers=place)

    return fault


async def _serve(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> tuple[web.AppRunner, int]:
    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    return runner, runner.addresses[0][1]
