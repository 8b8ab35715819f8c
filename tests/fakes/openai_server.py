"""A real HTTP server on port 0 that speaks OpenAI's API as well or as badly as a test wants.

It knows no model: the texts of its answers are given, and what it refuses, ignores or breaks is set as attributes.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

Json = dict[str, Any]
Reply = Callable[["FakeServer", web.Request, Json], Awaitable[web.StreamResponse]]

PROBE_TOKENS = 2
"""A request for so few tokens is the engine's own look at the server, not a viewer's."""


def event(said: Json | str, end: str = "\n\n") -> bytes:
    text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    return f"data: {text}{end}".encode()


def choice(index: int, text: str, reason: str | None = None, *, chat: bool = False) -> Json:
    said: Json = {"delta": {"content": text}} if chat else {"text": text}
    return {"index": index, "finish_reason": reason, **said}


@dataclass
class FakeServer:
    """Every draft says the next of `texts`, in pieces of two letters. `asked` holds the bodies, `probed` the probes'."""

    texts: Sequence[str] = (" 晚上好呀。",)
    key: str = ""
    models: Json | int | None = field(default_factory=lambda: {"data": [{"id": "rwkv7-test", "owned_by": "vllm"}]})
    paths: tuple[str, ...] = ("/v1/completions", "/v1/chat/completions")
    refuses: tuple[str, ...] = ()  # options answered with 400
    refusal: Callable[[str], Json | str] = lambda name: {
        "error": {"message": f"Unknown parameter: {name}", "param": name}
    }
    many_stops: bool = True
    knows_n: bool = True
    one_at_a_time: bool = False  # a new request cuts off the one before, as llama-cpp-python's server does
    lightning: str = ""  # "texts" or "ids": what its `stop_tokens` are
    replies: list[Reply] = field(default_factory=list)  # odd answers, each used once, before the usual ones
    asked: list[Json] = field(default_factory=list)
    probed: list[Json] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)  # Authorization headers
    cancelled: int = 0  # requests whose client went away
    at_once: int = 0
    most_at_once: int = 0
    gate: asyncio.Event | None = None  # answers wait for it before their first text
    url: str = ""

    def __post_init__(self) -> None:
        self._next = 0
        self._newest: object = None

    # ---- routes --------------------------------------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request.headers.get("Authorization", ""))
        if request.path == "/v1/models":
            return self._models()
        if request.path not in self.paths:
            return web.json_response({"detail": "Not Found"}, status=404)
        said = await request.json()
        probe = said.get("max_tokens") == PROBE_TOKENS
        (self.probed if probe else self.asked).append(said)
        try:
            if self.key and self.key not in (request.headers.get("Authorization", "")[7:], said.get("password")):
                words = f"Incorrect API key provided: {request.headers.get('Authorization', '')}"
                return web.json_response({"error": {"message": words}}, status=401)
            if self.replies and not probe:
                return await self.replies.pop(0)(self, request, said)
            return self._refused(said) or await self.answer(request, said, probe)
        except (asyncio.CancelledError, ConnectionError):
            self.cancelled += 1
            raise

    def _models(self) -> web.StreamResponse:
        if isinstance(self.models, int):
            return web.json_response({"error": {"message": "Loading model"}}, status=self.models)
        return web.json_response(self.models)

    def _refused(self, said: Json) -> web.StreamResponse | None:
        for name in self.refuses:
            if name in said:
                words = self.refusal(name)
                return web.Response(status=400, text=words if isinstance(words, str) else json.dumps(words))
        if not self.many_stops and len(said.get("stop", ())) > 4:
            return web.json_response({"error": {"message": "at most 4 entries", "param": "stop"}}, status=400)
        wanted = {"texts": str, "ids": int}.get(self.lightning)
        if wanted and not all(isinstance(stop, wanted) for stop in said["stop_tokens"]):
            return web.Response(status=500, text="Internal Server Error")
        return None

    # ---- the usual answer ----------------------------------------------------------------------------------------

    async def answer(self, request: web.Request, said: Json, probe: bool = False) -> web.StreamResponse:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        me = self._newest = object()
        try:
            response = await self.stream(request)
            if self.gate is not None and not probe:
                await self.gate.wait()
            chat = "messages" in said or "contents" in said
            texts = self._drafts(said)
            for start in range(0, max(map(len, texts)) + 1, 2):
                if self.one_at_a_time and me is not self._newest:
                    break
                for index, text in enumerate(texts):
                    if start <= len(text):
                        last = start + 2 > len(text) and not self.lightning
                        piece = choice(index, text[start : start + 2], "stop" if last else None, chat=chat)
                        await response.write(event({"choices": [piece]}))
                await asyncio.sleep(0)
            await response.write(event("[DONE]"))
            return response
        finally:
            self.at_once -= 1

    def _drafts(self, said: Json) -> list[str]:
        rows = len(said["contents"]) if "contents" in said else said.get("n", 1) if self.knows_n else 1
        taken = [self.texts[(self._next + row) % len(self.texts)] for row in range(rows)]
        if said.get("max_tokens") != PROBE_TOKENS:
            self._next += rows
        return taken

    async def stream(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        return response


@asynccontextmanager
async def serving(
    server: FakeServer, port: int = 0, ssl_context: ssl.SSLContext | None = None
) -> AsyncIterator[FakeServer]:
    """Listens on 127.0.0.1; `server.url` says where."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=ssl_context)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield server
    finally:
        await runner.cleanup()


# ---- odd answers -------------------------------------------------------------------------------------------------


def raw(*pieces: bytes, end: bool = True) -> Reply:
    """An event stream of exactly these writes; without `end` the connection is cut after them."""

    async def reply(server: FakeServer, request: web.Request, said: Json) -> web.StreamResponse:
        response = await server.stream(request)
        for piece in pieces:
            await response.write(piece)
            await asyncio.sleep(0.001)  # so that they travel apart
        if not end and request.transport is not None:
            request.transport.abort()
        return response

    return reply


def status(code: int, said: Json | str = "", **headers: str) -> Reply:
    """A refusal."""

    async def reply(server: FakeServer, request: web.Request, body: Json) -> web.StreamResponse:
        text = said if isinstance(said, str) else json.dumps(said)
        return web.Response(status=code, text=text, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return reply


def silent(*pieces: bytes, given_up: asyncio.Event | None = None) -> Reply:
    """These writes and then nothing, for ever; `given_up` is set when the client has gone."""

    async def reply(server: FakeServer, request: web.Request, said: Json) -> web.StreamResponse:
        response = await server.stream(request)
        try:
            for piece in pieces:
                await response.write(piece)
            await asyncio.Event().wait()
        finally:
            if given_up is not None:
                given_up.set()
        return response

    return reply


def whole(said: Json) -> Reply:
    """An answer that was not streamed."""

    async def reply(server: FakeServer, request: web.Request, body: Json) -> web.StreamResponse:
        return web.json_response(said)

    return reply
