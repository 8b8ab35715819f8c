"""The transport over `blivedm`: a stub of its API, the upload on PyPI, and the real one where it is installed."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import aclosing
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import pytest

from adapters.base import AdapterError, Phase
from adapters.bilibili import BilibiliAdapter
from adapters.bilibili.blivedm import Blivedm, _numbers
from adapters.bilibili.web import Web
from tests.adapters.bilibili.listening import TOLD, WEB, adapter, hear, line, texts, told
from tests.adapters.patience import soon
from tests.fakes import blivedm_stub
from tests.fakes.bilibili import ACCOUNT, GET_INFO, INFO, ROOM, SESSDATA, drops, fake_bilibili, frame
from tests.fakes.blivedm_stub import BLiveClient, Dropped, InitError
from tests.waiting import until

REAL = find_spec("blivedm") is not None


def real(test: Any) -> Any:
    """Runs where it is installed. It is written for an older aiohttp, which warns of what it uses."""
    skip = pytest.mark.skipif(not REAL, reason="blivedm is not installed: README says how")
    return skip(pytest.mark.filterwarnings("ignore::DeprecationWarning")(test))


def install(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> None:
    module.__spec__ = ModuleSpec("blivedm", None)
    monkeypatch.setitem(sys.modules, "blivedm", module)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    install(monkeypatch, blivedm_stub.module())
    yield
    assert all(client.closed and not client.is_running for client in BLiveClient.made)


# -- which one is taken --------------------------------------------------------------------------------------------


def test_auto_takes_one_that_is_new_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """1.1 and later; `builtin` takes none."""
    for version in ("1.1", "1.1.7", "1.2.0rc1", "2.0"):
        install(monkeypatch, blivedm_stub.module(version))
        assert isinstance(BilibiliAdapter(ROOM)._transport, Blivedm), version
        assert isinstance(BilibiliAdapter(ROOM, transport="blivedm")._transport, Blivedm)
        assert isinstance(BilibiliAdapter(ROOM, transport="builtin")._transport, Web)


@pytest.mark.parametrize("version", [None, "0.1.1", "1.0.2"])
def test_an_old_one_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch, version: str | None) -> None:
    """Asked for, it is an error that says what to install; `auto` goes on by itself, and the panel says so."""
    install(monkeypatch, blivedm_stub.module(version))
    with pytest.raises(AdapterError, match="WBI.*git.https://github.com/xfgryujk/blivedm"):
        BilibiliAdapter(ROOM, transport="blivedm")
    auto = BilibiliAdapter(ROOM)
    assert isinstance(auto._transport, Web) and "0.1.1" in auto.state.notices["blivedm"].text


def test_none_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it `auto` says nothing, and `blivedm` says how to install it."""
    monkeypatch.setitem(sys.modules, "blivedm", None)
    monkeypatch.setattr("adapters.bilibili.find_spec", lambda name: None)
    auto = BilibiliAdapter(ROOM)
    assert isinstance(auto._transport, Web) and auto.state.notices == {}
    with pytest.raises(AdapterError, match="pip install"):
        BilibiliAdapter(ROOM, transport="blivedm")


def test_versions_are_compared_as_numbers() -> None:
    """1.10 is newer than 1.9; what is no number counts as old."""
    assert _numbers("1.10.1") > _numbers("1.9") and _numbers("dev") < (1, 1)


# -- the stub ------------------------------------------------------------------------------------------------------

BEAT = {"cmd": "_HEARTBEAT", "data": {"popularity": 1}}


async def test_raw_commands_come_to_the_same(stub: None) -> None:
    """As through our own transport; its heartbeat is a sign of life and no message."""
    BLiveClient.lives = [[BEAT, *WEB]]
    async with fake_bilibili() as fake, adapter(fake, transport="blivedm") as (room, _):
        heard = await hear(room, len(TOLD))
        assert told(heard) == TOLD and room.unknown == {} and room.state.bad == 0


async def test_a_lost_connection_is_ours_to_make_again(stub: None) -> None:
    """It would call every second for ever; here the pauses grow, and each connection is a new client."""
    BLiveClient.lives = [[BEAT, line(1, "一"), Dropped()], [BEAT, Dropped()], [BEAT, line(1, "一"), line(2, "二")]]
    async with fake_bilibili() as fake, adapter(fake, transport="blivedm") as (room, pauses):
        assert texts(await hear(room, 2)) == ["一", "二"]
        assert pauses.seconds == [1.0, 2.0] and len(BLiveClient.made) == 3 and room.state.duplicates == 1


async def test_when_it_gives_up_it_is_started_again_after_minutes(stub: None) -> None:
    """It stops for good at −352, 412 or a page, and does not say which it was."""
    BLiveClient.lives = [[InitError("init_room() failed")], [line(1, "一")]]
    async with fake_bilibili() as fake, adapter(fake, transport="blivedm") as (room, pauses):
        assert texts(await hear(room, 1)) == ["一"]
        assert len(pauses.seconds) == 1 and pauses.seconds[0] >= 300


async def test_silence_is_watched(stub: None) -> None:
    """A client that says nothing at all is stopped and made anew."""
    BLiveClient.lives = [[BEAT], [line(1, "一")]]
    async with fake_bilibili() as fake, adapter(fake, transport="blivedm") as (room, pauses):
        room.silence = 0.3
        assert texts(await hear(room, 1)) == ["一"] and pauses.seconds


async def test_a_room_that_does_not_exist_stops_with_advice(stub: None) -> None:
    """We ask for the room ourselves first: the library would not tell."""
    async with fake_bilibili() as fake, adapter(fake, 404404, transport="blivedm") as (room, _):
        with pytest.raises(AdapterError, match="404404"):
            await hear(room, 1)
        assert BLiveClient.made == []
    async with fake_bilibili() as fake, adapter(fake, transport="blivedm") as (room, pauses):
        fake.answer(GET_INFO, code=-352)
        BLiveClient.lives = [[line(1, "一")]]
        await hear(room, 1)
        assert pauses.seconds[0] >= 600


async def test_the_account_s_own_words_and_masks_are_known(stub: None) -> None:
    """As through our own transport."""
    BLiveClient.uid = ACCOUNT
    BLiveClient.lives = [[line(1, "我自己", uid=ACCOUNT), line(2, "打码", uid=0, name="观***")]]
    async with fake_bilibili() as fake, adapter(fake, transport="blivedm", sessdata="x") as (room, _):
        assert texts(await hear(room, 1)) == ["打码"]
        assert room.state.echoes == 1 and "打了码" in room.state.notices["login"].text


# -- the real one --------------------------------------------------------------------------------------------------


@real
async def test_the_real_one_comes_to_the_same() -> None:
    """Unmodified, against the fake."""
    async with fake_bilibili() as fake, adapter(fake, transport="blivedm", heartbeat=30.0) as (room, _):
        fake.says = [frame(*WEB)]
        assert told(await hear(room, len(TOLD))) == TOLD


@real
async def test_the_real_one_shows_the_account_to_the_api_only() -> None:
    """Its session's jar holds SESSDATA for two hosts; the chat servers see none."""
    settings: dict[str, Any] = {"transport": "blivedm", "heartbeat": 30.0, "sessdata": SESSDATA}
    async with fake_bilibili() as fake, adapter(fake, **settings) as (room, _):
        fake.says = [frame(line(1, "我自己", uid=ACCOUNT), line(2, "别人"))]
        assert texts(await hear(room, 1)) == ["别人"]
        got = {host for host, _, cookies, _ in fake.requests if "SESSDATA" in cookies}
        assert got <= {"api.bilibili.com", "api.live.bilibili.com"} and "api.bilibili.com" in got
        assert fake.logins[0]["uid"] == ACCOUNT


@real
async def test_the_real_one_is_restarted() -> None:
    """Accept-then-drop, −101, and −352, which ends it for good."""
    async with fake_bilibili() as fake, adapter(fake, transport="blivedm", heartbeat=30.0) as (room, pauses):
        fake.lives.extend([drops, drops])
        fake.refusals.append(-101)
        fake.answer(INFO, code=-352)
        fake.says = [frame(line(1, "一"))]
        assert texts(await hear(room, 1)) == ["一"]
        assert pauses.seconds[0] >= 300 and len(pauses.seconds) == 4 and pauses.seconds[1:] == [1.0, 2.0, 4.0]


@real
async def test_the_real_one_leaves_nothing_running() -> None:
    """Let go in the middle."""
    async with fake_bilibili() as fake, adapter(fake, transport="blivedm", heartbeat=0.02) as (room, _):
        fake.says = [frame(line(1, "一"))]
        async with aclosing(room.messages()) as events:
            await soon(anext(events))
            await until(lambda: fake.heartbeats > 3)
            assert room.state.state is Phase.LIVE
        await until(lambda: not fake._sockets)
        assert not [task for task in asyncio.all_tasks() if "network" in str(task.get_coro())]
