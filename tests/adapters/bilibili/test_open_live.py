"""Open Live against the fake: the same chat, games that are kept and ended, and every refusal."""

import asyncio
import hashlib
import hmac
import logging
from contextlib import aclosing
from typing import Any

import pytest

from adapters.base import AdapterError, Phase
from adapters.bilibili import Keys
from adapters.bilibili.open_live import OpenLive, signature
from bot.messages import Message
from tests.adapters.bilibili.listening import OPEN, TOLD, adapter, hear, texts, told
from tests.adapters.patience import soon
from tests.fakes.bilibili import APP, BEAT, CODE, END, HOSTS, KEY_ID, SECRET, START, Fake, drops, fake_bilibili, frame
from tests.waiting import until

KEYS = Keys(KEY_ID, SECRET, APP, CODE)


def dm(number: int, text: str, **more: Any) -> dict[str, Any]:
    return {
        "cmd": "LIVE_OPEN_PLATFORM_DM",
        "data": {"msg_id": f"n{number}", "open_id": "o1", "uname": "阿强", "msg": text} | more,
    }


GOOD = frame(dm(1, "好"))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Games whose heartbeat comes at once."""
    made = OpenLive.__init__

    def make(self: OpenLive, *arguments: Any, **settings: Any) -> None:
        made(self, *arguments, **settings, game_heartbeat=0.02)

    monkeypatch.setattr(OpenLive, "__init__", make)


def test_a_request_is_signed_by_the_published_rule() -> None:
    """Six headers in their order, a line each; the hash of the body is one of them."""
    headers = signature(b"{}", "id", "secret", nonce="n", now=1700000000.7)
    lines = (
        "x-bili-accesskeyid:id\nx-bili-content-md5:99914b932bd37a50b983c5e7c90ae93b\n"
        "x-bili-signature-method:HMAC-SHA256\nx-bili-signature-nonce:n\nx-bili-signature-version:1.0\n"
        "x-bili-timestamp:1700000000"
    )
    assert headers["Authorization"] == hmac.new(b"secret", lines.encode(), hashlib.sha256).hexdigest()


def test_keys_are_not_shown() -> None:
    """What is printed or logged by accident holds none of them."""
    assert repr(KEYS) == f"Keys(app_id={APP})"


async def test_the_same_chat_comes_to_the_same() -> None:
    """Everything that the web transport hears, through the official protocol; no room number needed."""
    async with fake_bilibili() as fake, adapter(fake, None, open_live=KEYS) as (room, _):
        fake.says = [frame(*OPEN), frame(dm(9, "主播说", open_id="anchor-1", uname="主播"))]
        heard = await hear(room, len(TOLD) + 1)
        assert told(heard[:-1]) == TOLD
        assert isinstance(heard[-1], Message) and [role.value for role in heard[-1].viewer.roles] == ["streamer"]
        assert fake.paths() == [START, "/sub", END] and fake.ended == fake.games
        assert all("SESSDATA" not in cookies for _, _, cookies, _ in fake.requests)


async def test_keys_go_before_a_room() -> None:
    """With both, the official way is taken, and no account is shown to anyone."""
    async with fake_bilibili() as fake, adapter(fake, 7000, open_live=KEYS, sessdata="secret") as (room, _):
        fake.says = [GOOD]
        assert texts(await hear(room, 1)) == ["好"]
        assert {host for host, _, _, _ in fake.requests} == {"live-open.biliapi.com", HOSTS[0]}


async def test_a_game_is_kept_and_ended(quick: None) -> None:
    """Heartbeats of its own; the end also when the program is cancelled in the middle."""
    async with fake_bilibili() as fake, adapter(fake, None, open_live=KEYS) as (room, _):
        fake.says = [GOOD]
        heard: list[Any] = []

        async def listen() -> None:
            async with aclosing(room.messages()) as events:  # type: ignore[type-var]
                async for event in events:
                    heard.append(event)

        listening = asyncio.create_task(listen())
        await until(lambda: len(fake.beats) > 3 and heard)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        assert fake.ended == fake.games and set(fake.beats) == set(fake.games)


async def test_an_app_that_is_not_released_has_no_game(quick: None) -> None:
    """Its game has no name: no heartbeat, no end."""
    async with fake_bilibili() as fake, adapter(fake, None, open_live=KEYS) as (room, _):
        fake.game_id = ""
        fake.says = [GOOD]
        async with aclosing(room.messages()) as events:
            await soon(anext(events))
            await until(lambda: fake.heartbeats > 10)
        assert fake.beats == [] and fake.ended == [] and BEAT not in fake.paths()


@pytest.mark.parametrize("code", [7000, 7003])
async def test_a_game_that_has_lapsed_is_started_anew(quick: None, code: int) -> None:
    """Its heartbeat is answered with 7000 or 7003."""
    async with fake_bilibili() as fake, adapter(fake, None, open_live=KEYS) as (room, pauses):
        fake.says = [GOOD]
        fake.answer(BEAT, code=code, message="")
        async with aclosing(room.messages()) as events:
            await soon(anext(events))
            await until(lambda: len(fake.games) == 2 and len(fake.logins) == 2)
        assert pauses.seconds == [1.0]


async def test_a_heartbeat_that_does_not_get_through_is_no_matter(quick: None) -> None:
    """A page, a 500, an unknown code: the game goes on."""
    async with fake_bilibili() as fake, adapter(fake, None, open_live=KEYS) as (room, pauses):
        fake.says = [GOOD]
        fake.answer(BEAT, body="<html>")
        fake.answer(BEAT, status=500, code=0)
        fake.answer(BEAT, code=5001)
        async with aclosing(room.messages()) as events:
            await soon(anext(events))
            await until(lambda: len(fake.beats) > 2)
        assert pauses.seconds == [] and len(fake.games) == 1


async def test_the_end_of_the_push_starts_anew() -> None:
    """Ours; that of another game is no matter."""

    async def ends(fake: Fake, socket: Any) -> None:
        end = "LIVE_OPEN_PLATFORM_INTERACTION_END"
        await socket.send_bytes(frame({"cmd": end, "data": {"game_id": "another"}}, dm(1, "一")))
        await socket.send_bytes(frame({"cmd": end, "data": {"game_id": fake.games[-1]}}))
        await asyncio.Event().wait()

    async with fake_bilibili() as fake, adapter(fake, None, open_live=KEYS) as (room, pauses):
        fake.lives.append(ends)
        fake.says = [frame(dm(2, "二"))]
        assert texts(await hear(room, 2)) == ["一", "二"]
        assert len(fake.games) == 2 and pauses.seconds == [1.0]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (Keys(KEY_ID, SECRET, APP, "WRONG"), "身份码.*7007"),
        (Keys(KEY_ID, "wrong", APP, CODE), "access_key_secret"),
        (Keys("wrong", SECRET, APP, CODE), "4002.*access_key_id"),
    ],
)
async def test_what_will_never_work_stops_with_advice(keys: Keys, words: str) -> None:
    """A wrong code, wrong keys."""
    async with fake_bilibili() as fake, adapter(fake, None, open_live=keys) as (room, pauses):
        with pytest.raises(AdapterError, match=words):
            await hear(room, 1)
        assert room.state.state is Phase.FAILED and pauses.seconds == []


async def test_too_many_programs_in_a_room_stop_with_advice() -> None:
    """7010."""
    async with fake_bilibili() as fake, adapter(fake, None, open_live=KEYS) as (room, _):
        fake.answer(START, code=7010, message="超过上限")
        with pytest.raises(AdapterError, match="7010"):
            await hear(room, 1)


@pytest.mark.parametrize(
    ("odd", "least"),
    [
        ({"code": 4009, "message": "接口访问限制"}, 300),
        ({"status": 429, "code": 0}, 300),
        ({"body": "<html>维护</html>"}, 300),
        ({"code": 7002, "message": "房间重复游戏"}, 120),
        ({"code": 5001, "message": "服务器错误"}, 1),
        ({"code": 0, "data": {"websocket_info": {"wss_link": [], "auth_body": ""}}}, 1),
        ({"code": 0, "data": "?"}, 1),
        ({"status": 503, "code": 0}, 1),
    ],
)
async def test_the_rest_is_tried_again(odd: dict[str, Any], least: float) -> None:
    """After minutes where it asks for that, soon otherwise."""
    async with fake_bilibili() as fake, adapter(fake, None, open_live=KEYS) as (room, pauses):
        fake.answer(START, **odd)
        fake.says = [GOOD]
        assert texts(await hear(room, 1)) == ["好"]
        assert len(pauses.seconds) == 1 and least <= pauses.seconds[0] <= 1.25 * least


async def test_every_lost_connection_ends_its_game_and_takes_the_next_server() -> None:
    """Also where the server drops at once, or the end is not heard."""
    async with fake_bilibili() as fake, adapter(fake, None, open_live=KEYS) as (room, pauses):
        fake.lives.extend([drops, drops])
        fake.answer(END, status=500, code=0)
        fake.says = [GOOD]
        assert texts(await hear(room, 1)) == ["好"]
        assert len(fake.games) == 3 and len(fake.ended) == 2 and fake.paths().count(END) == 3
        assert fake.called == [HOSTS[0], HOSTS[1], HOSTS[0]] and pauses.seconds == [1.0, 2.0]


async def test_no_key_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """At no level, however it fails."""
    caplog.set_level(logging.DEBUG)
    async with fake_bilibili() as fake, adapter(fake, None, open_live=KEYS) as (room, _):
        fake.answer(START, status=500, code=0)
        fake.answer(END, body="<html>")
        fake.says = [GOOD]
        await hear(room, 1)
    assert not any(secret in caplog.text for secret in (SECRET, CODE, KEY_ID))


def test_half_of_the_keys_is_a_mistake_that_names_the_rest() -> None:
    """Before anything is called."""
    from adapters.bilibili import BilibiliAdapter

    with pytest.raises(AdapterError, match="access_key_secret、code"):
        BilibiliAdapter(open_live=Keys("id", "", 5, ""))
    with pytest.raises(AdapterError, match="room_id"):
        BilibiliAdapter()
    with pytest.raises(AdapterError, match="carrier pigeon"):
        BilibiliAdapter(5, transport="carrier pigeon")
