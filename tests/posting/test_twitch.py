"""Posting to Twitch, against its HTTP interface on this machine."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest
from aiohttp import web

from adapters.base import AdapterState
from adapters.echoes import Echoes
from adapters.twitch.chat import TwitchAdapter
from bot.posting.outlet import CannotPost, ChatOutlet, NotDelivered
from bot.posting.pieces import cut
from bot.posting.twitch import TwitchPoster
from tests.adapters.patience import soon
from tests.fakes.twitch import Chat, Helix, dropped
from tests.posting.approvals import approved
from tests.test_show import House
from tests.waiting import until


class Clock:
    """Time that passes only when somebody sleeps."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


def poster(helix: Helix, clock: Clock | None = None, **more: Any) -> TwitchPoster:
    clock = clock or Clock()
    settings = {"channel": "demo_room", "token": Helix.token, "echoes": Echoes(clock)} | more
    return TwitchPoster(**settings, clock=clock, url=helix.url, identity=helix.identity, sleep=clock.sleep)


async def post(twitch: TwitchPoster, text: str = "大家晚上好") -> None:
    (piece,) = cut(approved(text), twitch.limit)
    await twitch.post(piece)


@asynccontextmanager
async def outlet(twitch: TwitchPoster, state: AdapterState, echoes: Echoes) -> AsyncIterator[ChatOutlet]:
    found = ChatOutlet("twitch", twitch, state, echoes, lambda: 1000.0)
    running = asyncio.create_task(found.run())
    try:
        yield found
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_what_was_approved_is_posted_word_for_word():
    async with Helix() as helix:
        twitch = poster(helix)
        assert await twitch.ready() == "播出的话会以 cohost_bot 的名义发到 #demo_room"
        await post(twitch, "大家晚上好！")
    assert helix.posted == [{"broadcaster_id": "7001", "sender_id": "9001", "message": "大家晚上好！"}]


async def test_the_token_is_validated_once_an_hour():
    async with Helix() as helix:
        clock = Clock()
        twitch = poster(helix, clock)
        for _ in range(3):
            await twitch.ready()
        assert helix.asked.count("/oauth2/validate") == 1
        clock.now += 3600
        helix.scopes = []
        with pytest.raises(CannotPost):
            await twitch.ready()


def wrong_token(helix: Helix) -> dict[str, str]:
    return {"token": "revoked"}


def no_scope(helix: Helix) -> dict[str, str]:
    helix.scopes = ["user:read:chat"]
    return {}


def app_token(helix: Helix) -> dict[str, str]:
    helix.user = {}
    return {}


def no_channel(helix: Helix) -> dict[str, str]:
    return {"channel": "elsewhere"}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (wrong_token, "COHOST_TWITCH_TOKEN"),
        (no_scope, "user:write:chat"),
        (app_token, "用户令牌"),
        (no_channel, "adapters.twitch.channel"),
    ],
)
async def test_what_is_missing_is_said_before_anything_is_posted(spoil: Callable[[Helix], dict[str, str]], said: str):
    async with Helix() as helix:
        with pytest.raises(CannotPost, match=said):
            await poster(helix, **spoil(helix)).ready()


async def test_a_twitch_that_is_away_may_come_back():
    """That is no reason to give up for the whole show."""
    async with Helix() as helix:
        twitch = poster(helix)
        helix.identity_down = True
        with pytest.raises(NotDelivered) as caught:
            await twitch.ready()
        assert not isinstance(caught.value, CannotPost)
        helix.identity_down = False
        await twitch.ready()
    with pytest.raises(NotDelivered, match="不知道有没有发出"):
        await post(twitch)


@pytest.mark.parametrize(
    ("answer", "said", "ends"),
    [
        (lambda: dropped("msg_rejected", "held for the mods"), "held for the mods（msg_rejected）", False),
        (lambda: web.json_response({"data": [{"is_sent": False}]}), "没有发出", False),
        (lambda: web.json_response({"data": []}), "不知道有没有发出", False),
        (lambda: web.json_response({"data": [{"is_sent": "yes"}]}), "不知道有没有发出", False),
        (lambda: web.Response(text="<html>"), "不知道有没有发出", False),
        (lambda: web.json_response({"message": "Invalid OAuth token"}, status=401), "COHOST_TWITCH_TOKEN", True),
        (lambda: web.json_response({"message": "you are banned"}, status=403), "you are banned", False),
        (lambda: web.json_response({"message": "too long"}, status=422), "too long", False),
        (lambda: web.Response(status=429), "太快", False),
        (lambda: web.Response(status=500, text="oops"), "不知道有没有发出", False),
        (lambda: web.Response(status=302, headers={"Location": "/oauth2/validate"}), "不知道有没有发出", False),
    ],
)
async def test_every_answer_that_is_no_yes_is_not_delivered(answer: Callable[[], web.Response], said: str, ends: bool):
    """200 is no yes; only `is_sent: true` is. Only a token that does not work ends posting."""
    async with Helix() as helix:
        twitch = poster(helix)
        await twitch.ready()
        helix.answers.append(answer())
        with pytest.raises(NotDelivered, match=said) as caught:
            await post(twitch)
        assert isinstance(caught.value, CannotPost) is ends
        assert helix.asked.count("/helix/chat/messages") == 1


async def test_twenty_in_thirty_seconds_and_one_a_second():
    """Twitch's limits for an account that is no moderator."""
    async with Helix() as helix:
        clock = Clock()
        twitch = poster(helix, clock)
        times = []
        for _ in range(41):
            for pace in twitch.paces:
                await pace.turn()
            times.append(clock.now)
    assert all(late - early >= 1 for early, late in pairwise(times))
    assert all(late - early >= 30 for early, late in zip(times, times[20:], strict=False))


@pytest.mark.parametrize("own", [False, True], ids=["an account of its own", "the streamer's account"])
async def test_our_own_words_do_not_come_back_as_a_viewer_s(own: bool):
    """Both accounts are told apart from viewers; what the streamer types by hand is heard."""
    typed = "@id=t-1;user-id={};display-name=X :x!x@x PRIVMSG #demo_room :别的话"
    async with Chat() as chat, Helix(chat) as helix:
        helix.user["user_id"] = "7001" if own else "9001"
        adapter = TwitchAdapter("demo_room", url=chat.url)
        async with aclosing(adapter.messages()) as messages:
            waiting = asyncio.ensure_future(anext(messages))
            await until(lambda: chat.in_the_room)
            twitch = poster(helix, echoes=adapter.echoes)
            async with outlet(twitch, adapter.state, adapter.echoes) as posting:
                await posting.show(approved("大家晚上好"))
                await until(lambda: helix.posted)
                await chat.say(typed.format("7001"))
                assert (await soon(waiting)).text == "别的话"
    assert adapter.state.echoes == 1


async def test_the_emergency_stop_calls_back_what_is_on_its_way():
    """The request is broken off; nothing after it is sent, and the panel says that nobody knows."""
    async with Helix() as helix:
        helix.holds = asyncio.Event()
        state, echoes = AdapterState(), Echoes(lambda: 1000.0)
        async with outlet(poster(helix), state, echoes) as posting:
            await posting.show(approved("第一条", "a"))
            await posting.show(approved("第二条", "b"))
            await until(lambda: "/helix/chat/messages" in helix.asked)
            posting.clear()
            await until(lambda: len([key for key in state.notices if key.startswith("undelivered")]) == 2)
            helix.holds.set()
            await posting.show(approved("第三条", "c"))
            await until(lambda: "第三条" in helix.words)
    assert "第二条" not in helix.words


async def test_from_a_click_to_the_chat_once_and_not_again_after_a_restart(tmp_path: Any):
    """Nothing before the click, exactly the approved words after it, nothing when the program starts again."""
    async with Helix() as helix:
        state, echoes = AdapterState(), Echoes(lambda: 1000.0)
        async with outlet(poster(helix), state, echoes) as posting:
            house = House(tmp_path)
            house.show._outlets += (posting,)
            async with house.running():
                house.hear("今天玩什么？")
                card = await house.card()
                assert helix.posted == []
                await house.approve(card, "今天玩解谜。")
                await until(lambda: helix.posted)
        async with outlet(poster(helix), state, echoes) as posting:
            again = House(tmp_path)
            again.show._outlets += (posting,)
            async with again.running():
                again.hear("那明天呢？", 2)
                await again.approve(await again.card(), "明天休息。")
                await until(lambda: len(helix.posted) == 2)
    assert helix.words == ["今天玩解谜。", "明天休息。"]


async def test_the_token_is_in_no_log_and_no_text(caplog: pytest.LogCaptureFixture):
    async with Helix() as helix:
        state, echoes = AdapterState(), Echoes(lambda: 1000.0)
        with caplog.at_level(logging.DEBUG):
            async with outlet(poster(helix, token="s3cret-t0ken"), state, echoes) as posting:
                await posting.show(approved("第一条"))
                await until(lambda: "undelivered 0" in state.notices)
    assert "s3cret-t0ken" not in caplog.text + repr(state)
