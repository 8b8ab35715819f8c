"""The generic websocket as a server: real connections on a free port."""

import asyncio
import hmac
import json
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from adapters.admission import Allowance
from adapters.base import AdapterError, Phase
from adapters.websocket import WebsocketServer
from bot.app import peers
from bot.approval import ApprovalQueue, Approved, Draft, Item, ItemId, Operator
from bot.messages import Message
from tests.adapters.patience import soon
from tests.waiting import until

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
        for bad in ["{", "[]", frame(""), frame("x", price=-1), b"\xff", '{"type": {}}']:
            await careless.send(bad)
        errors = [json.loads(await soon(careless.recv())) for _ in range(6)]
        assert {error["type"] for error in errors} == {"error"}
        assert "price 现为 -1" in errors[3]["error"]
        await other.send(frame("别人"))
        assert (await hear(server))[0].text == "别人"
        await careless.send(frame("改好了"))
        assert (await hear(server))[0].text == "改好了"
        assert (server.state.received, server.state.bad) == (2, 6)


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


# -- hardening ---------------------------------------------------------------------------------------------------------


@asynccontextmanager
async def opened(**settings: object) -> AsyncIterator[WebsocketServer]:
    server = WebsocketServer("127.0.0.1", 0, TOKEN, **settings)
    await server.start()
    server.ear = server.messages()
    yield server
    await server.ear.aclose()
    await server.close()


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [(["cohost", TOKEN], "cohost"), ([TOKEN, "other"], "other"), ([TOKEN], TOKEN), (["chat"], None)],
)
async def test_a_browser_may_send_the_token_as_a_subprotocol(
    server: WebsocketServer, offered: list[str], chosen: str | None
):
    """It cannot set headers. What it gets back is a name that it offered, the token only where there is nothing else."""
    if chosen is None:
        with pytest.raises(InvalidStatus):
            await call(server, "/chat", subprotocols=offered)
    else:
        async with call(server, "/chat", subprotocols=offered) as peer:
            assert peer.subprotocol == chosen
            await settled(peer)


async def test_a_peer_that_offers_subprotocols_of_its_own_gets_one(server: WebsocketServer):
    """Otherwise a browser hangs up."""
    async with call(server, subprotocols=["bridge"]) as peer:
        assert peer.subprotocol == "bridge"


async def test_tokens_are_compared_in_constant_time(server: WebsocketServer, monkeypatch: pytest.MonkeyPatch):
    """Each that is offered goes through the one comparison that does not stop at the first wrong letter."""
    compared: list[bytes] = []
    compare = hmac.compare_digest

    def watch(given: bytes, token: bytes) -> bool:
        compared.append(given)
        return compare(given, token)

    monkeypatch.setattr(hmac, "compare_digest", watch)
    with pytest.raises(InvalidStatus):
        headers = {"Authorization": "Bearer guess-2"}
        await call(server, "/chat?token=guess-1", additional_headers=headers, subprotocols=["guess-3"])
    assert compared == [b"guess-1", b"guess-2", b"guess-3"]


async def test_only_pages_of_the_named_sites_may_connect():
    """Where the settings name some; programs, which have no origin, are not meant."""
    async with opened(origins=["https://bridge.example"]) as server:
        with pytest.raises(InvalidStatus) as caught:
            await call(server, origin="https://evil.example")
        assert caught.value.response.status_code == 403
        async with call(server, origin="https://bridge.example") as page, call(server) as program:
            await settled(page)
            await settled(program)


async def test_there_are_only_so_many_connections():
    """The next is told so, and gets in when one leaves."""
    async with opened(connections=2) as server:
        async with call(server), call(server) as second:
            await settled(second)
            with pytest.raises(InvalidStatus) as caught:
                await call(server)
            assert caught.value.response.status_code == 503
        await until(lambda: not server.peers)
        async with call(server) as third:
            await settled(third)


async def test_a_peer_that_goes_on_sending_nonsense_is_closed(server: WebsocketServer):
    """Twenty are answered; others are not disturbed, and good frames before it count."""
    async with call(server) as careless, call(server) as other:
        await careless.send(frame("好"))
        for _ in range(40):
            with suppress(ConnectionClosed):
                await careless.send("{")
        answers = []
        with pytest.raises(ConnectionClosed) as caught:
            while True:
                answers.append(await soon(careless.recv()))
        assert caught.value.rcvd is not None and caught.value.rcvd.code == 1008
        assert len(answers) == server.state.bad == 21
        await other.send(frame("别人"))
        assert [m.text for m in await hear(server, 2)] == ["好", "别人"]


async def test_now_and_then_a_bad_frame_is_forgiven():
    """One in three seconds, for a day."""
    patience = Allowance(1 / 3, 20)
    assert not any(patience.take(now) for now in range(0, 86_400, 3))
    assert any(patience.take(now) for now in range(86_400, 86_500))


async def test_who_sends_too_fast_is_read_more_slowly():
    """Nothing is lost: the frames beyond the rate wait their time."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    now = asyncio.get_running_loop().time
    async with opened(rate=10, sleep=sleep) as server, call(server) as peer:
        began = now()
        for number in range(30):
            await peer.send(frame(str(number)))
        assert [m.text for m in await hear(server, 30)] == [str(number) for number in range(30)]
        took = now() - began
    assert slept[:19] == [0.0] * 19  # twice the rate at once
    assert 0.999 - took < slept[29] <= 1.0  # ten frames more, but for those that have become due meanwhile


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "127.0.0.1"])
def test_on_no_address_is_there_a_server_without_a_token(host: str):
    """Least of all on one that others can reach."""
    with pytest.raises(AdapterError, match="COHOST_CHAT_TOKEN"):
        WebsocketServer(host, 0, "")


async def test_a_bridge_that_calls_us_is_read_by_its_preset():
    """A list a frame; what it cannot know is not answered, and too much of it ends the connection all the same."""
    chat = {"id": "1", "method": "WebcastChatMessage", "user": {"id": "u", "name": "荔枝"}, "content": "嗨"}
    async with opened(preset="dycast", name="douyin") as server, call(server) as page:
        await page.send(json.dumps([chat, {**chat, "id": "2"}, 7]))
        assert [m.id for m in await hear(server, 2)] == ["douyin:1", "douyin:2"]
        for _ in range(40):
            with suppress(ConnectionClosed):
                await page.send("[1, 2, 3]")
        with pytest.raises(ConnectionClosed) as caught:
            await soon(page.recv())
        assert caught.value.rcvd is not None and caught.value.rcvd.code == 1008


async def test_peers_are_told_what_was_aired_and_nobody_else_is(server: WebsocketServer):
    """By way of the outlet that app.py makes: an adapter has nothing to send with."""
    outlet = peers(server)
    async with call(server) as asking, call(server) as other:
        await asking.send(frame("在吗", id="7"))
        (message,) = await hear(server)
        await settled(other)
        await outlet.show(aired(message))
        told = [json.loads(await soon(peer.recv())) for peer in (asking, other)]
        assert told == [{"type": "reply", "to": "7", "text": "在的", "character": "小芽"}] * 2
        outlet.clear()
        assert json.loads(await soon(asking.recv())) == {"type": "recall", "to": "7"}
    await until(lambda: not server.peers)
    await outlet.show(aired(message, "b"))


def aired(message: Message, item_id: str = "a") -> Approved:
    queue = ApprovalQueue(lambda item, decision: None)
    queue.open(Item(ItemId(item_id), 0.0, "小芽", drafts=(Draft("在的", True),), message=message))
    queue.approve(item_id, 1, "在的", Operator("Anna"), 1.0)
    return queue.air(item_id, 2.0, 8.0)
