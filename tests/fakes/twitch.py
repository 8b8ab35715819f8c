"""Twitch on this machine: its chat over a websocket, as an anonymous reader meets it. Speaks real IRC lines.

What goes wrong is a list of moods; each connection takes the next one, and those after the last go well.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self

from aiohttp import web
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

Mood = Callable[["Chat", ServerConnection], Awaitable[None]]
SERVER = ":tmi.twitch.tv"


class Chat:
    """The room `#demo_room`. Whoever joins is told `said`, and then what is `say`-ed."""

    def __init__(self, said: Sequence[str] = ()) -> None:
        self.said = list(said)
        self.moods: deque[Mood] = deque()
        self.heard: list[str] = []  # every line that a client sent
        self.joined: list[float] = []  # when, by the loop's clock
        self.in_the_room: set[ServerConnection] = set()
        self.answers_pings = True

    async def __aenter__(self) -> Self:
        self._server: Server = await serve(self._talk, "127.0.0.1", 0, close_timeout=0.5)
        self.url = f"ws://127.0.0.1:{next(iter(self._server.sockets)).getsockname()[1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def say(self, *lines: str) -> None:
        """To everyone in the room, in one frame."""
        for socket in list(self.in_the_room):
            await socket.send("".join(f"{line}\r\n" for line in lines))

    async def _talk(self, socket: ServerConnection) -> None:
        mood = self.moods.popleft() if self.moods else polite
        try:
            await mood(self, socket)
        except ConnectionClosed:
            pass
        finally:
            self.in_the_room.discard(socket)

    async def until(self, socket: ServerConnection, pattern: str) -> str:
        """What the client's line says where `pattern` has a group; the lines before it are kept."""
        async for frame in socket:
            assert isinstance(frame, str)
            for line in frame.split("\r\n"):
                self.heard += [line] if line else []
            for line in frame.split("\r\n"):
                if found := re.fullmatch(pattern, line):
                    return found[1]
        raise asyncio.CancelledError

    async def welcome(self, socket: ServerConnection) -> str:
        """The login, up to the client's JOIN; returns the channel that it wants. Checks what a client must say."""
        nick = await self.until(socket, r"NICK (justinfan\d+)")
        assert any(line.startswith("CAP REQ :") and "twitch.tv/tags" in line for line in self.heard)
        assert any(line.startswith("PASS ") for line in self.heard)
        await socket.send(
            f"{SERVER} CAP * ACK :twitch.tv/tags twitch.tv/commands\r\n{SERVER} 001 {nick} :Welcome, GLHF!\r\n"
            f"{SERVER} 002 {nick} :Your host is tmi.twitch.tv\r\n{SERVER} 376 {nick} :>\r\n"
        )
        channel = await self.until(socket, "JOIN (#[a-z0-9_]+)")
        self.joined.append(asyncio.get_running_loop().time())
        return channel

    async def let_in(self, socket: ServerConnection, channel: str) -> None:
        await socket.send(
            f":justinfan1!justinfan1@justinfan1.tmi.twitch.tv JOIN {channel}\r\n"
            f"@emote-only=0;room-id=7001;slow=0;subs-only=0 {SERVER} ROOMSTATE {channel}\r\n"
        )
        self.in_the_room.add(socket)


async def polite(chat: Chat, socket: ServerConnection) -> None:
    await chat.let_in(socket, await chat.welcome(socket))
    half = len(chat.said) // 2  # several lines a frame, and one frame in the middle of it as bytes
    for part in (chat.said[:half], chat.said[half:]):
        await socket.send("".join(f"{line}\r\n" for line in part).encode() if part is not chat.said else "")
    while chat.answers_pings:
        number = await chat.until(socket, "PING :?(.*)")
        await socket.send(f"{SERVER} PONG tmi.twitch.tv :{number}\r\n")
    await socket.wait_closed()


def drops(at: str) -> Mood:
    """Hangs up: at the "door", after the "login", or once it is "in"."""

    async def mood(chat: Chat, socket: ServerConnection) -> None:
        if at != "door":
            channel = await chat.welcome(socket)
            if at == "in":
                await chat.let_in(socket, channel)

    return mood


def says(*lines: str, lets_in: bool = True) -> Mood:
    """These lines, and then nothing more."""

    async def mood(chat: Chat, socket: ServerConnection) -> None:
        channel = await chat.welcome(socket)
        if lets_in:
            await chat.let_in(socket, channel)
        await socket.send("".join(f"{line}\r\n" for line in lines))
        await socket.wait_closed()

    return mood


async def silent(chat: Chat, socket: ServerConnection) -> None:
    """Takes the login and lets nobody in: a channel that does not exist."""
    await chat.welcome(socket)
    await socket.wait_closed()


async def refuses_tags(chat: Chat, socket: ServerConnection) -> None:
    await chat.until(socket, r"NICK (justinfan\d+)")
    await socket.send(f"{SERVER} CAP * NAK :twitch.tv/tags twitch.tv/commands\r\n")
    await socket.wait_closed()


async def refuses_login(chat: Chat, socket: ServerConnection) -> None:
    await chat.until(socket, r"NICK (justinfan\d+)")
    await socket.send(f"{SERVER} NOTICE * :Login authentication failed\r\n")
    await socket.wait_closed()


class Helix:
    """The part of Twitch's HTTP interface that posts. What is posted is kept, and said in `chat` where there is one."""

    token = "fake-token"

    def __init__(self, chat: Chat | None = None) -> None:
        self.chat = chat
        self.scopes = ["user:read:chat", "user:write:chat"]
        self.user = {"user_id": "9001", "login": "cohost_bot"}
        self.channels = {"demo_room": "7001"}
        self.posted: list[dict[str, str]] = []
        self.asked: list[str] = []
        self.answers: deque[web.Response] = deque()  # to the next posts, which then are not posted
        self.holds: asyncio.Event | None = None  # posts wait for it before they arrive
        self.identity_down = False

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/oauth2/validate", self._validate)
        app.router.add_get("/helix/users", self._users)
        app.router.add_post("/helix/chat/messages", self._messages)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        place = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        self.url, self.identity = f"{place}/helix", f"{place}/oauth2"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    async def _validate(self, request: web.Request) -> web.Response:
        self.asked.append(request.path)
        if self.identity_down:
            return web.Response(status=503, text="<html>")
        if request.headers.get("Authorization") != f"OAuth {self.token}":
            return web.json_response({"status": 401, "message": "invalid access token"}, status=401)
        return web.json_response({"client_id": "client-1", "scopes": self.scopes, "expires_in": 5000, **self.user})

    async def _users(self, request: web.Request) -> web.Response:
        self._check(request)
        name = request.query["login"]
        return web.json_response(
            {"data": [{"id": self.channels[name], "login": name}] if name in self.channels else []}
        )

    async def _messages(self, request: web.Request) -> web.Response:
        self._check(request)
        if self.holds is not None:
            await self.holds.wait()
        if self.answers:
            return self.answers.popleft()
        body = await request.json()
        assert set(body) == {"broadcaster_id", "sender_id", "message"} and len(body["message"]) <= 500
        assert (body["broadcaster_id"], body["sender_id"]) == ("7001", self.user["user_id"])
        self.posted.append(body)
        if self.chat is not None:
            tags = f"@id=post-{len(self.posted)};user-id={self.user['user_id']};display-name=Bot"
            await self.chat.say(f"{tags} :bot!bot@bot.tmi.twitch.tv PRIVMSG #demo_room :{body['message']}")
        return web.json_response({"data": [{"message_id": f"post-{len(self.posted)}", "is_sent": True}]})

    def _check(self, request: web.Request) -> None:
        self.asked.append(request.path)
        assert request.headers["Client-Id"] == "client-1"
        assert self.token not in str(request.url)
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            raise web.HTTPUnauthorized(text='{"status": 401, "message": "Invalid OAuth token"}')

    @property
    def words(self) -> list[str]:
        return [body["message"] for body in self.posted]


def dropped(code: str, message: str) -> web.Response:
    """The answer 200 that means no."""
    reason = {"code": code, "message": message}
    return web.json_response({"data": [{"message_id": "", "is_sent": False, "drop_reason": reason}]})
