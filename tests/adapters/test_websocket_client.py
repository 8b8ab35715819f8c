"""The generic websocket as a client: real bridges on free ports, pauses that the test lets pass."""

import asyncio
import http
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import pytest
from websockets.asyncio.server import ServerConnection, serve

from adapters.base import AdapterError, Phase
from adapters.websocket import WebsocketClient
from tests.adapters.patience import soon
from tests.ports import free_port
from tests.waiting import until

Bridge = Callable[[ServerConnection], Awaitable[None]]


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


@asynccontextmanager
async def bridge(talk: Bridge, port: int = 0, **more: object) -> AsyncIterator[int]:
    async with serve(talk, "127.0.0.1", port, close_timeout=1, **more) as server:
        yield next(iter(server.sockets)).getsockname()[1]


def client(
    port: int, clock: Clock, secret: str = "s3cret", sleep: Callable[[float], Awaitable[None]] | None = None
) -> WebsocketClient:
    url = f"ws://127.0.0.1:{port}/feed?token={secret}"
    return WebsocketClient(url, clock=clock, sleep=sleep or clock.sleep, jitter=lambda: 1.0)


def frame(text: str) -> str:
    return json.dumps({"type": "danmaku", "user": {"id": "u1", "name": "阿强"}, "text": text})


async def hold(peer: ServerConnection) -> None:
    """Keeps the connection until the other side goes."""
    await peer.wait_closed()


async def test_messages_come_through():
    """Each message with the adapter's platform, counted for the panel."""

    async def talk(peer: ServerConnection) -> None:
        await peer.send(frame("一"))
        await peer.send(frame("二").encode())
        await hold(peer)

    async with bridge(talk) as port:
        adapter = client(port, Clock())
        async with aclosing(adapter.messages()) as messages:
            first, second = await soon(anext(messages)), await soon(anext(messages))
    assert (first.text, second.text, first.viewer.key) == ("一", "二", ("websocket_client", "u1"))
    assert (adapter.state.state, adapter.state.received, adapter.state.last_message) == (Phase.LIVE, 2, 1000.0)


async def test_a_bad_frame_is_answered_and_the_next_one_read():
    """The bridge is told what to write; our own kinds of answer are not answered."""
    answers: list[dict] = []

    async def talk(peer: ServerConnection) -> None:
        await peer.send('{"type": "error"}')
        await peer.send('{"type": "chat"}')
        answers.append(json.loads(await soon(peer.recv())))
        await peer.send(frame("好"))
        await hold(peer)

    async with bridge(talk) as port:
        adapter = client(port, Clock())
        async with aclosing(adapter.messages()) as messages:
            assert (await soon(anext(messages))).text == "好"
    assert adapter.state.bad == 1
    assert answers[0]["type"] == "error" and 'type 现为 "chat"' in answers[0]["error"]


async def test_it_comes_back_after_the_connection_is_lost():
    """A bridge that closes after each message is called again, with growing pauses."""
    calls = 0

    async def talk(peer: ServerConnection) -> None:
        nonlocal calls
        calls += 1
        await peer.send(frame(str(calls)))

    clock = Clock()
    async with bridge(talk) as port, aclosing(client(port, clock).messages()) as messages:
        assert [(await soon(anext(messages))).text for _ in range(4)] == ["1", "2", "3", "4"]
    assert clock.slept == [1, 2, 4]


async def test_it_waits_for_a_bridge_that_starts_later():
    """Nothing listens for two tries; the state says what it waits for, without the token of the address."""
    port, clock, opened = free_port(), Clock(), asyncio.Event()
    details: list[str] = []

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        details.append(f"{adapter.state.state} {adapter.state.detail}")
        if len(details) == 2:
            opened.set()
            await listening.wait()

    async def talk(peer: ServerConnection) -> None:
        await peer.send(frame("来了"))
        await hold(peer)

    adapter = client(port, clock, sleep=sleep)
    listening = asyncio.Event()

    async def first_message() -> str:
        async with aclosing(adapter.messages()) as messages:
            return (await soon(anext(messages))).text

    waiting = asyncio.create_task(first_message())
    await soon(opened.wait())
    async with bridge(talk, port):
        listening.set()
        assert await soon(waiting) == "来了"
    assert clock.slept == [1, 2]
    assert all(detail.startswith(f"waiting 连接断开：127.0.0.1:{port}（") for detail in details)
    assert not any("s3cret" in detail for detail in details)


@pytest.mark.parametrize("status", [http.HTTPStatus.UNAUTHORIZED, http.HTTPStatus.FORBIDDEN])
async def test_a_refused_token_is_final(status: http.HTTPStatus):
    """It will not become right by trying again; the line says what to check and does not show the token."""

    def refuse(connection: ServerConnection, request: object) -> object:
        return connection.respond(status, "no\n")

    async with bridge(hold, process_request=refuse) as port:
        adapter, clock = client(port, Clock()), Clock()
        with pytest.raises(AdapterError, match=f"127.0.0.1:{port} 拒绝了连接（HTTP {int(status)}）.*令牌") as caught:
            await soon(anext(adapter.messages()))
    assert adapter.state.state == Phase.FAILED and clock.slept == []
    assert "s3cret" not in str(caught.value)


async def test_other_refusals_are_tried_again():
    """A bridge that is just starting answers 404 or 503 for a while."""
    answers = [http.HTTPStatus.NOT_FOUND, http.HTTPStatus.SERVICE_UNAVAILABLE]

    def starting(connection: ServerConnection, request: object) -> object:
        return connection.respond(answers.pop(0), "wait\n") if answers else None

    async def talk(peer: ServerConnection) -> None:
        await peer.send(frame("好"))
        await hold(peer)

    clock = Clock()
    async with bridge(talk, process_request=starting) as port, aclosing(client(port, clock).messages()) as messages:
        assert (await soon(anext(messages))).text == "好"
    assert clock.slept == [1, 2]


async def test_a_bridge_that_speaks_no_websocket_is_tried_again():
    """Garbage, then silence and a closed connection: a pause each, no exception."""

    async def garbage(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello, this is no websocket\r\n\r\n")
        writer.close()

    clock = Clock()
    server = await asyncio.start_server(garbage, "127.0.0.1", 0)
    third_pause = asyncio.Event()

    async def sleep(seconds: float) -> None:
        await clock.sleep(seconds)
        if len(clock.slept) == 3:
            third_pause.set()

    adapter = client(server.sockets[0].getsockname()[1], clock, sleep=sleep)
    waiting = asyncio.create_task(anext(adapter.messages()))
    await soon(third_pause.wait())
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await soon(waiting)
    server.close()
    assert adapter.state.received == 0


async def test_a_frame_over_64_kib_costs_the_connection_not_the_adapter():
    """The bridge is called again."""
    calls = 0

    async def talk(peer: ServerConnection) -> None:
        nonlocal calls
        calls += 1
        await peer.send(frame("x" * 70_000 if calls == 1 else "好"))
        await hold(peer)

    clock = Clock()
    async with bridge(talk) as port, aclosing(client(port, clock).messages()) as messages:
        assert (await soon(anext(messages))).text == "好"
    assert clock.slept == [1]


@pytest.mark.parametrize("url", ["", "http://x/feed", "ws://", "ws://[", "ws://x:99999/", "127.0.0.1:80"])
def test_a_bad_address_is_refused_at_once(url: str):
    """When the adapter is made, with the key to correct."""
    with pytest.raises(AdapterError, match="adapters.websocket.client.url"):
        WebsocketClient(url)


async def test_an_address_that_only_the_library_refuses_is_final_too():
    """A fragment has no meaning for a websocket; the line does not show the address."""
    with pytest.raises(AdapterError, match="adapters.websocket.client.url") as caught:
        await soon(anext(WebsocketClient("ws://127.0.0.1:1/x?token=s3cret#part").messages()))
    assert "s3cret" not in str(caught.value)


async def test_what_the_other_side_says_at_the_end_stays_one_line(caplog: pytest.LogCaptureFixture):
    """Its reason for closing goes to the panel and the log, without line breaks; the token does not."""
    caplog.set_level("INFO", "adapters")

    async def talk(peer: ServerConnection) -> None:
        await peer.send(frame("好"))
        await peer.close(1011, "bad\n\nnews")

    details = []

    async def sleep(seconds: float) -> None:
        details.append(adapter.state.detail)

    async with bridge(talk) as port:
        adapter = client(port, Clock(), sleep=sleep)
        async with aclosing(adapter.messages()) as messages:
            assert [(await soon(anext(messages))).text for _ in range(2)] == ["好", "好"]
    assert "bad news" in details[0] and "\n" not in details[0]
    assert "bad news" in caplog.text and "s3cret" not in caplog.text


async def test_cancelling_says_goodbye():
    """The bridge sees a proper close."""
    closed = asyncio.get_running_loop().create_future()

    async def talk(peer: ServerConnection) -> None:
        await peer.send(frame("好"))
        await peer.wait_closed()
        closed.set_result(peer.close_code)

    async with bridge(talk) as port:
        async with aclosing(client(port, Clock()).messages()) as messages:
            await soon(anext(messages))
        assert await soon(closed) in (1000, 1001)


async def test_a_bridge_is_read_by_its_preset_and_answered_only_where_it_asks():
    """Platform, ping and token as the preset wants them; a bad frame is counted and not answered."""
    heard: list[object] = []

    async def talk(peer: ServerConnection) -> None:
        heard.append(peer.request.headers.get("Authorization"))
        await peer.send("not json")
        await peer.send('{"type": "ping", "timestamp": 5}')
        heard.append(json.loads(await soon(peer.recv())))
        await peer.send('{"type": "message", "idStr": "a", "uid": 7, "username": "小橘", "message": "喵"}')
        await hold(peer)

    async with bridge(talk) as port:
        url = f"ws://127.0.0.1:{port}/"
        adapter = WebsocketClient(url, name="bilibili", token="t0ken", preset="laplace", clock=Clock())
        async with aclosing(adapter.messages()) as messages:
            message = await soon(anext(messages))
    assert (message.id, message.viewer.key, message.text) == ("bilibili:a", ("bilibili", "7"), "喵")
    assert heard == ["Bearer t0ken", {"type": "pong", "respondingTo": 5}]
    assert adapter.state.bad == 1


async def test_nothing_at_all_is_sent_to_a_bridge_that_obeys_commands():
    """Bad frames, frames without a rule, good ones: not a byte goes out but what opens and closes a connection."""
    sent: list[object] = []

    async def talk(peer: ServerConnection) -> None:
        for data in ("nonsense", '{"type": "ping"}', '{"Type": 99}', '{"Cmd": 1}'):
            await peer.send(data)
        inside = json.dumps({"MsgId": 1, "User": {"Id": 2, "Nickname": "桃"}, "Content": "好"})
        await peer.send(json.dumps({"Type": 1, "Data": inside}))
        sent.extend([data async for data in peer])

    async with bridge(talk) as port:
        adapter = WebsocketClient(f"ws://127.0.0.1:{port}/", name="douyin", preset="douyin_barrage_grab", clock=Clock())
        async with aclosing(adapter.messages()) as messages:
            assert (await soon(anext(messages))).id == "douyin:1"
    assert sent == [] and adapter.state.bad == 1


async def test_a_preset_that_does_not_fit_is_said_on_the_panel_until_a_message_comes():
    """Otherwise a wrong choice would look like a quiet chat."""
    gate = asyncio.Event()

    async def talk(peer: ServerConnection) -> None:
        await peer.send('{"hello": 1}')
        await gate.wait()
        await peer.send('{"method": "WebcastChatMessage", "user": {"id": "1", "nickname": "桃"}, "content": "好"}')
        await hold(peer)

    async with bridge(talk) as port:
        adapter = WebsocketClient(f"ws://127.0.0.1:{port}/", name="douyin", preset="douyin_live", clock=Clock())
        async with aclosing(adapter.messages()) as messages:
            first = asyncio.ensure_future(anext(messages))
            await until(lambda: "bridge" in adapter.state.notices)
            assert "--sample" in adapter.state.notices["bridge"].text
            gate.set()
            await soon(first)
            assert "bridge" not in adapter.state.notices
