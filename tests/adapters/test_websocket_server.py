"""The generic websocket as a server: real connections on a free port."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from adapters.base import AdapterError, Phase
from adapters.websocket import WebsocketServer
from bot.messages import Message
from tests.adapters.patience import soon

TOKEN = "correct-horse"
NOW = 1_800_000_000.0


@pytest.fixture
async def server() -> AsyncIterator[WebsocketServer]:
    chat = WebsocketServer("127.0.0.1", 0, TOKEN, limit=5, clock=lambda: NOW)
    await chat.start()
    chat.ear = chat.messages()
    yield chat
    await chat.ear.aclose()
    await chat.close()


def call(server: WebsocketServer, path: str = f"/chat?token={TOKEN}", **more: object) -> connect:
    return connect(f"ws://127.0.0.1:{server.port}{path}", proxy=None, **more)


def frame(text: str, **more: object) -> str:
    return json.dumps({"type": "danmaku", "user": {"id": "u1", "name": "阿强"}, "text": text, **more})


async def hear(server: WebsocketServer, count: int = 1) -> list[Message]:
    """The next messages; leaves the server running."""
    return [await soon(anext(server.ear)) for _ in range(count)]


async def settled(peer: ClientConnection) -> None:
    """Everything this peer has sent is handled: the answer to one more bad frame has come."""
    await peer.send("settled?")
    assert json.loads(await soon(peer.recv()))["type"] == "error"


async def test_a_frame_becomes_a_message(server: WebsocketServer):
    """The whole way: socket, frame, message, counts for the panel."""
    async with call(server) as peer, aclosing(server.messages()) as messages:
        await peer.send(frame("晚上好", id="7"))
        message = await soon(anext(messages))
        assert (message.id, message.text, message.viewer.key) == ("websocket:7", "晚上好", ("websocket", "u1"))
        assert (server.state.received, server.state.last_message, server.state.bad) == (1, NOW, 0)


async def test_order_is_kept_and_binary_frames_are_read(server: WebsocketServer):
    """Text or bytes, first in first out."""
    async with call(server) as peer:
        await peer.send(frame("一"))
        await peer.send(frame("二").encode())
        await peer.send(frame("三"))
        assert [m.text for m in await hear(server, 3)] == ["一", "二", "三"]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (f"/chat?token={TOKEN}", {}),
        (f"/chat?room=1&token={TOKEN}", {}),
        ("/chat", {"Authorization": f"Bearer {TOKEN}"}),
        ("/chat?token=wrong", {"Authorization": f"bearer  {TOKEN}"}),
    ],
)
async def test_the_token_may_come_either_way(server: WebsocketServer, path: str, headers: dict):
    """In the address, or as a header; one right one is enough."""
    async with call(server, path, additional_headers=headers) as peer:
        await peer.send(frame("hi"))
        assert (await hear(server))[0].text == "hi"


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/chat", {}, 401),
        ("/chat?token=", {}, 401),
        ("/chat?token=wrong", {}, 401),
        (f"/chat?token={TOKEN}x", {}, 401),
        (f"/chat?token={TOKEN[:-1]}", {}, 401),
        ("/chat?token=%ff%f0", {}, 401),
        ("/chat", {"Authorization": f"Basic {TOKEN}"}, 401),
        ("/chat", {"Authorization": "Bearer"}, 401),
        (f"/?token={TOKEN}", {}, 404),
        (f"//[chat?token={TOKEN}", {}, 404),
    ],
)
async def test_a_stranger_is_turned_away(server: WebsocketServer, path: str, headers: dict, status: int):
    """No token, a wrong one, nearly the right one, another path; and the server lives on."""
    with pytest.raises(InvalidStatus) as caught:
        await call(server, path, additional_headers=headers)
    assert caught.value.response.status_code == status
    assert TOKEN not in caught.value.response.body.decode()
    async with call(server) as peer:
        await settled(peer)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://["])
@pytest.mark.parametrize("path", ["/chat", "/chat?token=guess"])
async def test_another_sites_page_is_forbidden(server: WebsocketServer, origin: str, path: str):
    """A page in the streamer's browser can reach 127.0.0.1, but it does not know the token."""
    with pytest.raises(InvalidStatus) as caught:
        await call(server, path, origin=origin)
    assert caught.value.response.status_code == 403


@pytest.mark.parametrize("origin", ["https://bridge.example", "chrome-extension://abc", "null"])
async def test_a_page_with_the_token_may_speak(server: WebsocketServer, origin: str):
    """Bridges that run inside a browser have such origins; the token is proof enough."""
    async with call(server, origin=origin) as peer:
        await settled(peer)


async def test_a_bad_frame_is_answered_and_harms_nothing(server: WebsocketServer):
    """Its sender is told what to write; its other frames, and other peers, go on."""
    async with call(server) as careless, call(server) as other:
        for bad in ["{", "[]", frame(""), frame("x", price=-1), b"\xff"]:
            await careless.send(bad)
        errors = [json.loads(await soon(careless.recv())) for _ in range(5)]
        assert {error["type"] for error in errors} == {"error"}
        assert "price 现为 -1" in errors[3]["error"]
        await other.send(frame("别人"))
        assert (await hear(server))[0].text == "别人"
        await careless.send(frame("改好了"))
        assert (await hear(server))[0].text == "改好了"
        assert (server.state.received, server.state.bad) == (2, 5)


async def test_errors_speak_english_on_request():
    """`lang` chooses the table of texts."""
    server = WebsocketServer("127.0.0.1", 0, TOKEN, lang="en")
    await server.start()
    async with call(server) as peer:
        await peer.send("{")
        assert json.loads(await soon(peer.recv()))["error"] == "Not JSON. Send one JSON object in UTF-8 a frame."
    await server.close()


async def test_our_own_answers_are_not_answered(server: WebsocketServer):
    """Two programs that both answer errors must not talk for ever."""
    async with call(server) as peer:
        await peer.send('{"type": "error", "error": "x"}')
        await peer.send('{"type": "reply", "to": "1", "text": "x"}')
        await peer.send("{")
        assert "JSON" in json.loads(await soon(peer.recv()))["error"]
        assert (server.state.received, server.state.bad) == (0, 1)


async def test_a_frame_over_64_kib_ends_that_connection_only(server: WebsocketServer):
    """Closed with 1009; another peer is not disturbed. Just under the limit is fine."""
    async with call(server) as huge, call(server) as other:
        await huge.send(frame("x" * 65_000))
        assert len((await hear(server))[0].text) == 4000
        with pytest.raises(ConnectionClosed) as caught:
            await huge.send(frame("x" * 70_000))
            await soon(huge.recv())
        assert caught.value.rcvd is not None and caught.value.rcvd.code == 1009
        await other.send(frame("还在"))
        assert (await hear(server))[0].text == "还在"


async def test_a_compressed_bomb_counts_with_its_real_size(server: WebsocketServer):
    """10 MB of one letter is a few KB on the wire, and still more than 64 KiB."""
    async with call(server) as bomb:
        with pytest.raises(ConnectionClosed) as caught:
            await bomb.send("x" * 10_000_000)
            await soon(bomb.recv())
        assert caught.value.rcvd is not None and caught.value.rcvd.code == 1009


async def test_when_nobody_reads_the_oldest_plain_chat_gives_way(server: WebsocketServer):
    """Five may wait here: the paid one stays, the newest stay, and the panel is told how many gave way."""
    async with call(server) as peer:
        await peer.send(frame("付费", type="super_chat", price=30))
        for number in range(10):
            await peer.send(frame(str(number)))
        await settled(peer)
        assert [m.text for m in await hear(server, 5)] == ["付费", "6", "7", "8", "9"]
        assert (server.state.received, server.state.dropped) == (11, 6)


async def test_a_burst_loses_nothing_while_somebody_reads(server: WebsocketServer):
    """500 frames in one go through a queue of five: the reader gets its turn in between."""
    async with call(server) as peer:
        reader = asyncio.create_task(hear(server, 500))
        for number in range(500):
            await peer.send(frame(str(number)))
        assert [m.text for m in await soon(reader)] == [str(number) for number in range(500)]
        assert server.state.dropped == 0


async def test_the_state_says_how_many_are_connected(server: WebsocketServer):
    """Waiting while nobody is, live while somebody is."""
    assert (server.state.state, server.state.detail) == (Phase.WAITING, "还没有程序连接")
    async with call(server) as first:
        await settled(first)
        async with call(server) as second:
            await settled(second)
            assert (server.state.state, server.state.detail) == (Phase.LIVE, "2 个程序已连接")
    await server.close()
    assert server.state.state == Phase.DONE


async def test_a_taken_port_is_one_clear_line(server: WebsocketServer):
    """Which address, why, and which key to change."""
    second = WebsocketServer("127.0.0.1", server.port, TOKEN)
    with pytest.raises(AdapterError) as caught:
        await soon(anext(second.messages()))
    text = str(caught.value)
    assert f"127.0.0.1:{server.port}" in text and "adapters.websocket.server.port" in text and "\n" not in text
    assert second.state.state == Phase.FAILED


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("no.such.host.invalid", 0)])
async def test_an_impossible_address_is_one_clear_line(host: str, port: int):
    """A port out of range, a host that does not exist."""
    with pytest.raises(AdapterError, match="无法监听"):
        await WebsocketServer(host, port, TOKEN).start()


def test_without_a_token_there_is_no_server():
    """An open port for everyone is not a setting."""
    with pytest.raises(AdapterError, match="COHOST_CHAT_TOKEN"):
        WebsocketServer("127.0.0.1", 0, "")


async def test_cancelling_the_reader_ends_everything():
    """Peers get a goodbye, the port is free again, and it takes no noticeable time."""
    server = WebsocketServer("127.0.0.1", 0, TOKEN)

    async def listen() -> None:
        async with aclosing(server.messages()) as messages:
            async for _ in messages:
                pass

    await server.start()
    reader = asyncio.create_task(listen())
    async with call(server) as peer:
        await settled(peer)
        reader.cancel()
        with pytest.raises(ConnectionClosed) as caught:
            await soon(peer.recv())
        assert caught.value.rcvd is not None and caught.value.rcvd.code == 1001
    with pytest.raises(asyncio.CancelledError):
        await reader
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", server.port)) != 0


async def test_a_silent_connection_does_not_hold_up_the_end(server: WebsocketServer):
    """A program that connected and said nothing, not even HTTP, is left behind within two seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    async with asyncio.timeout(8):
        await server.close()
    writer.close()
    assert not (await soon(reader.read())).startswith(b"HTTP/1.1 101")


async def test_nonsense_on_the_port_is_survived(server: WebsocketServer):
    """A port scanner, a browser's plain request: refused, and real peers go on."""
    for opening in [b"\x16\x03\x01garbage\r\n\r\n", b"GET /chat HTTP/1.1\r\nHost: x\r\n\r\n", b""]:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(opening)
        writer.write_eof()
        assert b" 101 " not in await soon(reader.read())
        writer.close()
    async with call(server) as peer:
        await settled(peer)


async def test_no_log_names_the_token_or_a_viewers_words(server: WebsocketServer, caplog: pytest.LogCaptureFixture):
    """Not even at debug level, where the library would write whole requests."""
    logging.getLogger("websockets.client").setLevel(logging.CRITICAL)  # this test's own side
    caplog.set_level(logging.DEBUG)
    async with call(server) as peer:
        await peer.send(frame("悄悄话"))
        await settled(peer)
    with pytest.raises(InvalidStatus):
        await call(server, "/chat?token=wrong-guess")
    assert not any(secret in caplog.text for secret in (TOKEN, "wrong-guess", "悄悄话"))
