"""A Bilibili on this machine: HTTP with WBI and buvid3, Open Live with signatures, the chat servers' websocket.

An unmodified client reaches it: `session()` resolves every name to this server and trusts its certificate, so hosts,
paths, cookies and TLS are the real ones. It is strict: what the real one refuses, it refuses. Its moods are attributes
to set before a client comes, and `answer` puts odd answers in front of the good ones.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
import socket
import ssl
import struct
import zlib
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import trustme
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

# Bilibili's documented example of picture names and the key that follows from them.
IMAGE, SUB = "7cd084941338484aae1ad9425b84077c", "4932caff0ff746eab6f01bf08b70ac45"
WBI_KEY = "ea1db124af3c7062474693fa704f4ff8"
BUVID3 = "0A1B2C3D-0000-1111-2222-333344445555infoc"

SHORT, ROOM, OWNER = 6, 7000, 9000
SESSDATA, ACCOUNT = "a1b2%2C1900000000%2Cc3d4%2A11", 8123
HOSTS = ("one.chat.bilibili.com", "two.chat.bilibili.com")

JCT = "0123456789abcdef0123456789abcdef"
LONGEST = 20  # characters that the account may post at once

KEY_ID, SECRET, APP, CODE = "key-id", "key-secret", 1700000000000, "ABCDEF"

HEARTBEAT, HEARTBEAT_REPLY, COMMAND, AUTH, AUTH_REPLY = 2, 3, 5, 7, 8

INFO = "/xlive/web-room/v1/index/getDanmuInfo"
NAV = "/x/web-interface/nav"
GET_INFO = "/room/v1/Room/get_info"
SEND = "/msg/send"
START, BEAT, END = "/v2/app/start", "/v2/app/heartbeat", "/v2/app/end"


def packet(operation: int, body: bytes, version: int = 0) -> bytes:
    return struct.pack(">IHHII", 16 + len(body), 16, version, operation, 0) + body


def frame(*commands: Any, version: int = 2) -> bytes:
    """One websocket message that holds these commands."""
    plain = b"".join(packet(COMMAND, json.dumps(one, ensure_ascii=False).encode()) for one in commands)
    return packet(COMMAND, zlib.compress(plain), 2) if version == 2 else plain


Life = Callable[["Fake", web.WebSocketResponse], Awaitable[None]]


async def stays(fake: Fake, socket: web.WebSocketResponse) -> None:
    """Says what there is to say, then answers heartbeats until the client goes or has been silent for too long."""
    for part in fake.says:
        await (socket.send_str(part) if isinstance(part, str) else socket.send_bytes(part))
    await keeps(fake, socket)


async def keeps(fake: Fake, socket: web.WebSocketResponse) -> None:
    while True:
        try:
            async with asyncio.timeout(fake.patience):
                message = await socket.receive()
        except TimeoutError:
            return
        if message.type is not aiohttp.WSMsgType.BINARY:
            return
        _, _, _, operation, _ = struct.unpack_from(">IHHII", message.data)
        if operation == HEARTBEAT:
            fake.heartbeats += 1
            # The length counts the four bytes only, not the echo.
            await socket.send_bytes(struct.pack(">IHHIII", 20, 16, 1, HEARTBEAT_REPLY, 0, 1) + message.data[16:])


async def drops(fake: Fake, socket: web.WebSocketResponse) -> None:
    """Goes away at once."""


async def says_nothing(fake: Fake, socket: web.WebSocketResponse) -> None:
    """Hears everything and answers nothing, not even heartbeats."""
    while (await socket.receive()).type is aiohttp.WSMsgType.BINARY:
        pass


class Fake:
    """`says` is sent to everyone who logs in (str: a text frame); `lives` are lived first, one a connection."""

    def __init__(self) -> None:
        self.says: list[bytes | str] = []
        self.lives: deque[Life] = deque()
        self.refusals: deque[int] = deque()  # codes with which the next logins are refused
        self.patience = 30.0  # seconds without a heartbeat
        self.login_patience = 5.0
        self.answers_logins = True
        self.on_air = True
        self.game_id: str | None = None  # None: a new one each time
        self.hides: dict[str, str] = {}  # "f" or "k": the word that makes a post vanish

        self.requests: list[tuple[str, str, dict[str, str], dict[str, str]]] = []  # host, path, cookies, headers
        self.logins: list[dict[str, Any]] = []
        self.called: list[str] = []  # hosts of the chat servers
        self.heartbeats = 0
        self.games: list[str] = []
        self.beats: list[str] = []
        self.ended: list[str] = []
        self.posted: list[str] = []

        self.port = 0
        self._answers: defaultdict[str, deque[Callable[[], web.StreamResponse]]] = defaultdict(deque)
        self._tokens: set[str] = set()
        self._nonces: set[str] = set()
        self._count = itertools.count(1)
        self._ca = trustme.CA()
        self._sockets: set[web.WebSocketResponse] = set()

    # -- for tests ---------------------------------------------------------------------------------------------------

    def answer(self, path: str, *, status: int = 200, body: str = "", **fields: Any) -> None:
        """The next request for `path` gets this: JSON of `fields`, or `body` as a page."""
        if body:
            self._answers[path].append(lambda: web.Response(status=status, text=body, content_type="text/html"))
        else:
            self._answers[path].append(lambda: web.json_response(fields, status=status))

    def move(self, path: str, place: str) -> None:
        """The next request for `path` is sent elsewhere."""
        self._answers[path].append(lambda: web.Response(status=302, headers={"Location": place}))

    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.requests]

    def session(self, **more: Any) -> aiohttp.ClientSession:
        """One that finds this server under every name."""
        context = ssl.create_default_context()
        self._ca.configure_trust(context)
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(resolver=_Here(self.port), ssl=context, use_dns_cache=False), **more
        )

    async def tell(self, *commands: Any) -> None:
        """To everyone who is connected."""
        for one in list(self._sockets):
            await one.send_bytes(frame(*commands))

    # -- HTTP --------------------------------------------------------------------------------------------------------

    async def handle(self, request: web.Request) -> web.StreamResponse:
        host = request.host.partition(":")[0]
        self.requests.append((host, request.path, dict(request.cookies), dict(request.headers)))
        if request.path == "/sub":
            return await self._socket(request, host)
        if self._answers[request.path]:
            return self._answers[request.path].popleft()()
        if not request.headers.get("User-Agent", "").startswith("Mozilla/") and host != "live-open.biliapi.com":
            return web.Response(status=412, text="<html>The request was rejected</html>", content_type="text/html")
        match host, request.path:
            case "www.bilibili.com", "/":
                response = web.Response(text="<html></html>", content_type="text/html")
                response.set_cookie("buvid3", BUVID3, domain=".bilibili.com", path="/")
                return response
            case "api.bilibili.com", path if path == NAV:
                return self._nav(request)
            case "api.live.bilibili.com", path if path == GET_INFO:
                return self._room(request)
            case "api.live.bilibili.com", path if path == INFO:
                return self._servers(request)
            case "api.live.bilibili.com", path if path == SEND:
                return await self._posted(request)
            case "live-open.biliapi.com", path if path in (START, BEAT, END):
                return await self._open_live(request)
        return web.Response(status=404, text="<html>404</html>", content_type="text/html")

    def _nav(self, request: web.Request) -> web.Response:
        pictures = {
            "img_url": f"https://i0.hdslb.com/bfs/wbi/{IMAGE}.png",
            "sub_url": f"https://i0.hdslb.com/bfs/wbi/{SUB}.png",
        }
        if request.cookies.get("SESSDATA") == SESSDATA:
            return ok({"isLogin": True, "mid": ACCOUNT, "wbi_img": pictures})
        return web.json_response(
            {"code": -101, "message": "账号未登录", "data": {"isLogin": False, "wbi_img": pictures}}
        )

    def _room(self, request: web.Request) -> web.Response:
        if request.query.get("room_id") not in (str(SHORT), str(ROOM)):
            return web.json_response({"code": 1, "msg": "未找到该房间", "message": "未找到该房间", "data": []})
        return ok({"room_id": ROOM, "short_id": SHORT, "uid": OWNER, "live_status": int(self.on_air)})

    def _servers(self, request: web.Request) -> web.Response:
        signed, _, signature = request.query_string.partition("&w_rid=")
        right = hashlib.md5((signed + WBI_KEY).encode()).hexdigest()
        in_order = [name for name in request.query if name != "w_rid"]
        if signature != right or in_order != sorted(in_order) or request.cookies.get("buvid3") != BUVID3:
            return web.json_response({"code": -352, "message": "-352", "ttl": 1})
        servers = [{"host": host, "port": 2243, "wss_port": 443, "ws_port": 2244} for host in HOSTS]
        return ok({"group": "live", "token": self._token(), "host_list": servers})

    async def _posted(self, request: web.Request) -> web.Response:
        """Also tells the room, as the real one does."""
        fields = dict(await request.post())
        if request.cookies.get("SESSDATA") != SESSDATA:
            return web.json_response({"code": -101, "message": "账号未登录"})
        if request.cookies.get("bili_jct") != JCT or not fields["csrf"] == fields["csrf_token"] == JCT:
            return web.json_response({"code": -111, "message": "csrf 校验失败"})
        words = str(fields["msg"])
        if fields["roomid"] != str(ROOM) or len(words) > LONGEST:
            return web.json_response({"code": 1003212, "message": "超出限制长度", "msg": "超出限制长度"})
        for letter, hidden in self.hides.items():
            if hidden in words:
                return web.json_response({"code": 0, "data": [], "message": letter, "msg": letter})
        self.posted.append(words)
        extra = json.dumps({"id_str": f"posted-{len(self.posted)}"})
        info = [[0, 1, 25, 1, 0, 1, 0, "p", 0, 0, 0, "", 0, "{}", "{}", {"extra": extra}], words, [ACCOUNT, "副播"]]
        await self.tell({"cmd": "DANMU_MSG", "info": info})
        return web.json_response({"code": 0, "data": {"mode_info": {}}, "message": "", "msg": ""})

    def _token(self) -> str:
        token = f"token-{next(self._count)}"
        self._tokens.add(token)
        return token

    async def _open_live(self, request: web.Request) -> web.Response:
        body = await request.read()
        if (code := self._signature_fault(request, body)) is not None:
            return web.json_response({"code": code, "message": "签名异常", "request_id": "r"})
        fields = json.loads(body)
        if request.path == START:
            if fields.get("app_id") != APP or fields.get("code") != CODE:
                return web.json_response({"code": 7007, "message": "身份码错误", "request_id": "r"})
            game = f"game-{next(self._count)}" if self.game_id is None else self.game_id
            self.games.append(game)
            login = json.dumps({"roomid": ROOM, "protover": 2, "uid": 1, "key": self._token(), "group": "open"})
            return ok(
                {
                    "game_info": {"game_id": game},
                    "websocket_info": {"auth_body": login, "wss_link": [f"wss://{host}:443/sub" for host in HOSTS]},
                    "anchor_info": {"room_id": ROOM, "uid": OWNER, "open_id": "anchor-1", "uname": "主播"},
                }
            )
        game = fields.get("game_id")
        if game not in self.games or game in self.ended:
            return web.json_response({"code": 7003, "message": "心跳过期", "request_id": "r"})
        (self.beats if request.path == BEAT else self.ended).append(game)
        return ok({})

    def _signature_fault(self, request: web.Request, body: bytes) -> int | None:
        """The official rule: six headers, sorted, one a line, signed with the secret."""
        names = sorted(name for name in map(str.lower, request.headers) if name.startswith("x-bili-"))
        line = "\n".join(f"{name}:{request.headers[name]}" for name in names)
        right = hmac.new(SECRET.encode(), line.encode(), hashlib.sha256).hexdigest()
        expected = [
            "accesskeyid",
            "content-md5",
            "signature-method",
            "signature-nonce",
            "signature-version",
            "timestamp",
        ]
        nonce = request.headers.get("x-bili-signature-nonce", "")
        fine = (
            names == [f"x-bili-{name}" for name in expected]
            and request.headers["x-bili-accesskeyid"] == KEY_ID
            and request.headers["x-bili-content-md5"] == hashlib.md5(body).hexdigest()
            and hmac.compare_digest(request.headers.get("Authorization", ""), right)
            and nonce not in self._nonces
        )
        self._nonces.add(nonce)
        return None if fine else 4002

    # -- the chat servers --------------------------------------------------------------------------------------------

    async def _socket(self, request: web.Request, host: str) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(timeout=0.5)
        await socket.prepare(request)
        self.called.append(host)
        try:
            async with asyncio.timeout(self.login_patience):
                message = await socket.receive()
        except TimeoutError:
            return socket
        size, head, _, operation, _ = struct.unpack_from(">IHHII", message.data)
        if operation != AUTH or (size, head) != (len(message.data), 16):
            return socket
        login = json.loads(message.data[16:])
        self.logins.append(login)
        if not self.answers_logins:
            await says_nothing(self, socket)
            return socket
        if self.refusals or login.get("key") not in self._tokens or login.get("roomid") != ROOM:
            code = self.refusals.popleft() if self.refusals else -101
            await socket.send_bytes(packet(AUTH_REPLY, json.dumps({"code": code}).encode(), 1))
            return socket
        self._tokens.discard(login["key"])  # good for one login
        await socket.send_bytes(packet(AUTH_REPLY, b'{"code":0}', 1))
        self._sockets.add(socket)
        try:
            await (self.lives.popleft() if self.lives else stays)(self, socket)
        except ConnectionResetError:
            pass  # the client has gone
        finally:
            self._sockets.discard(socket)
        return socket

    # -- the server --------------------------------------------------------------------------------------------------

    async def start(self) -> web.AppRunner:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._ca.issue_cert(
            "*.bilibili.com", "*.live.bilibili.com", "*.chat.bilibili.com", "live-open.biliapi.com"
        ).configure_cert(context)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        runner = web.AppRunner(app, shutdown_timeout=0.2)
        await runner.setup()
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        await web.SockSite(runner, listener, ssl_context=context).start()
        return runner


@asynccontextmanager
async def fake_bilibili() -> AsyncIterator[Fake]:
    fake = Fake()
    runner = await fake.start()
    try:
        yield fake
    finally:
        for one in list(fake._sockets):
            await one.close()
        await runner.cleanup()


class _Here(AbstractResolver):
    """Every name is this machine, and every port is the fake's."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        return [
            ResolveResult(hostname=host, host="127.0.0.1", port=self._port, family=socket.AF_INET, proto=0, flags=0)
        ]

    async def close(self) -> None:
        """Nothing is open."""


def ok(data: Any) -> web.Response:
    return web.json_response({"code": 0, "message": "0", "ttl": 1, "data": data})
