"""Posting to a Bilibili room, against the fake."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from itertools import pairwise
from typing import Any

import pytest

from adapters.base import AdapterState
from adapters.bilibili import BilibiliAdapter, Places
from adapters.echoes import Echoes
from bot.posting.bilibili import REPEAT_SECONDS, BilibiliPoster, Cookies
from bot.posting.outlet import CannotPost, ChatOutlet, NotDelivered
from bot.posting.pieces import cut
from tests.adapters.bilibili.listening import line
from tests.adapters.patience import soon
from tests.fakes import bilibili
from tests.fakes.bilibili import JCT, NAV, ROOM, SEND, SESSDATA, SHORT, Fake, fake_bilibili
from tests.posting.approvals import approved
from tests.test_show import House
from tests.waiting import until

COOKIES = Cookies(SESSDATA, JCT)


class Clock:
    """Time that passes only when somebody sleeps."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


@asynccontextmanager
async def poster(fake: Fake, cookies: Cookies = COOKIES, **more: Any) -> AsyncIterator[BilibiliPoster]:
    clock = more.pop("clock", None) or Clock()
    sleep = clock.sleep if isinstance(clock, Clock) else asyncio.sleep
    settings = {"room_id": SHORT, "echoes": Echoes(clock), "sleep": sleep} | more
    async with fake.session() as session:
        yield BilibiliPoster(cookies=cookies, clock=clock, session=session, **settings)


@asynccontextmanager
async def outlet(found: BilibiliPoster, state: AdapterState, echoes: Echoes, **more: Any) -> AsyncIterator[ChatOutlet]:
    posting = ChatOutlet("bilibili", found, state, echoes, lambda: 1000.0, repeat=REPEAT_SECONDS, **more)
    running = asyncio.create_task(posting.run())
    try:
        yield posting
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def post(found: BilibiliPoster, text: str = "大家晚上好") -> None:
    (piece,) = cut(approved(text), found.limit)
    await found.post(piece)


def undelivered(state: AdapterState) -> list[str]:
    return [notice.text for key, notice in state.notices.items() if key.startswith("undelivered")]


async def test_what_was_approved_is_posted_word_for_word() -> None:
    """To the long number of the room, by the account of the cookies; who that is is said at the start."""
    async with fake_bilibili() as fake, poster(fake) as found:
        assert await found.ready() == f"播出的话会以 UID {bilibili.ACCOUNT} 的名义发到直播间 {ROOM}"
        await post(found, "大家晚上好！ (*'ω'*)")
        assert fake.posted == ["大家晚上好！ (*'ω'*)"]


async def test_account_and_room_are_asked_for_once_an_hour() -> None:
    async with fake_bilibili() as fake:
        clock = Clock()
        async with poster(fake, clock=clock) as found:
            for _ in range(3):
                await found.ready()
            assert fake.paths().count(NAV) == 1
            clock.now += 3600
            await found.ready()
            assert fake.paths().count(NAV) == 2


async def test_the_cookies_go_to_the_api_over_https_only(caplog: pytest.LogCaptureFixture) -> None:
    """Not along a redirect, not in the clear, not into a log or a text of ours."""
    caplog.set_level(logging.DEBUG)
    async with fake_bilibili() as fake, poster(fake) as found:
        await found.ready()
        fake.move(SEND, "https://www.bilibili.com/elsewhere")
        with pytest.raises(NotDelivered, match="302"):
            await post(found)
        await post(found)
        got = {host for host, _, cookies, _ in fake.requests if cookies.keys() & {"SESSDATA", "bili_jct"}}
        assert got == {"api.bilibili.com", "api.live.bilibili.com"} and "/elsewhere" not in fake.paths()
        found._places = Places(live="http://api.live.bilibili.com")
        with pytest.raises(CannotPost, match="https"):
            await post(found)
    assert JCT not in caplog.text + repr(COOKIES) and SESSDATA not in caplog.text + repr(COOKIES)


@pytest.mark.parametrize(
    ("cookies", "room", "said"),
    [
        (Cookies("expired", JCT), SHORT, "COHOST_BILIBILI_SESSDATA"),
        (COOKIES, 404404, "404404"),
    ],
)
async def test_what_is_missing_is_said_before_anything_is_posted(cookies: Cookies, room: int, said: str) -> None:
    async with fake_bilibili() as fake, poster(fake, cookies, room_id=room) as found:
        with pytest.raises(CannotPost, match=said):
            await found.ready()


@pytest.mark.parametrize(
    ("odd", "said", "ends"),
    [
        ({"code": 0, "message": "f", "msg": "f"}, "屏蔽（f）", False),
        ({"code": 0, "message": "k"}, "（k）", False),
        ({"code": 0, "msg": "k"}, "（k）", False),
        ({"code": 0, "message": "max limit exceeded"}, "max limit exceeded", False),
        ({"code": 10030, "message": "您发送弹幕的频率过快"}, "频率过快（10030）", False),
        ({"code": 1003, "message": "您已被禁言"}, "禁言", False),
        ({"code": -101, "message": "账号未登录"}, "SESSDATA", True),
        ({"code": -111, "message": "csrf 校验失败"}, "bili_jct", True),
        ({"code": -352, "message": "-352"}, "风控", False),
        ({"data": {}}, "不知道有没有发出", False),
        ({"status": 412, "body": "<html>"}, "412", False),
        ({"status": 500, "code": 0}, "500", False),
        ({"body": "<html>验证码</html>"}, "网页", False),
    ],
)
async def test_every_answer_that_is_no_yes_is_not_delivered(odd: dict[str, Any], said: str, ends: bool) -> None:
    """Code 0 is no yes; only cookies that do not work end posting. Nothing is tried a second time."""
    async with fake_bilibili() as fake, poster(fake) as found:
        await found.ready()
        fake.answer(SEND, **odd)
        with pytest.raises(NotDelivered) as caught:
            await post(found)
        assert said in str(caught.value)
        assert isinstance(caught.value, CannotPost) is ends
        assert fake.paths().count(SEND) == 1 and fake.posted == []


async def test_a_bilibili_that_is_away_may_come_back() -> None:
    """Asked again before the next piece."""
    async with fake_bilibili() as fake, poster(fake) as found:
        fake.answer(NAV, status=502, body="<html>")
        with pytest.raises(NotDelivered) as caught:
            await found.ready()
        assert not isinstance(caught.value, CannotPost)
        await found.ready()
        await post(found)
        assert fake.posted == ["大家晚上好"]
        found._places = Places(api="https://127.0.0.1:9", live="https://127.0.0.1:9")
        found._session = None
        with pytest.raises(NotDelivered, match="不知道有没有发出"):
            await post(found)
        found._room = 0
        with pytest.raises(NotDelivered, match="没有发"):
            await found.ready()


async def test_pieces_are_a_second_and_a_half_apart_and_as_long_as_the_account_may_write() -> None:
    """Twenty characters unless the settings say thirty."""
    async with fake_bilibili() as fake:
        clock = Clock()
        async with poster(fake, clock=clock) as found:
            times = []
            for _ in range(5):
                for pace in found.paces:
                    await pace.turn()
                times.append(clock.now)
            assert all(late - early >= 1.5 for early, late in pairwise(times))
            words = "今天先唱三首歌，再陪大家聊聊天，最后抽奖。记得早点来看，别迟到，也别忘了带上朋友一起来玩。"
            assert all(len(piece.text) <= 20 for piece in cut(approved(words), found.limit))
            state, echoes = AdapterState(), Echoes(clock)
            async with outlet(found, state, echoes) as posting:
                await posting.show(approved(words))
                await until(lambda: "".join(fake.posted) == words)
            assert undelivered(state) == []
        async with poster(fake, limit=30) as longer:
            assert len(cut(approved(words), longer.limit)) < len(fake.posted)


async def test_words_that_the_room_hides_are_said_to_be_hidden() -> None:
    """The rest of that reply stays away, the next one goes out, nothing is said twice."""
    async with fake_bilibili() as fake:
        fake.hides = {"f": "网站不许", "k": "房间不许"}
        async with poster(fake) as found:
            state = AdapterState()
            async with outlet(found, state, Echoes(lambda: 1000.0)) as posting:
                for number, words in enumerate(("网站不许的话", "房间不许的话", "好话", "好话")):
                    await posting.show(approved(words, str(number)))
                await until(lambda: len(undelivered(state)) == 3)
            assert fake.posted == ["好话"] and fake.paths().count(SEND) == 3
            assert ["（f）" in text for text in undelivered(state)] == [True, False, False]


async def test_a_piece_that_may_not_stand_alone_keeps_the_reply_away() -> None:
    """The whole was checked when it was approved; cut in two, words can say something else."""
    async with fake_bilibili() as fake, poster(fake) as found:
        state = AdapterState()
        check = lambda text: "脏话" if text.startswith("坏人") else ""  # noqa: E731
        async with outlet(found, state, Echoes(lambda: 1000.0), check=check) as posting:
            await posting.show(approved("这一句刚好有二十个字那么长你可以数数看。坏人不好。"))
            await posting.show(approved("好", "b"))
            await until(lambda: fake.posted)
        assert fake.posted == ["好"] and "审核" in undelivered(state)[0]


async def test_our_own_words_do_not_come_back_as_a_viewer_s() -> None:
    """Heard by an adapter in the same room, as a guest; what others say is heard."""
    async with fake_bilibili() as fake, fake.session() as session:
        room = BilibiliAdapter(ROOM, session=session, transport="builtin")
        async with aclosing(room.messages()) as messages:
            waiting = asyncio.ensure_future(anext(messages))
            await until(lambda: fake._sockets)
            async with poster(fake, echoes=room.echoes) as found, outlet(found, room.state, room.echoes) as posting:
                await posting.show(approved("大家晚上好"))
                await until(lambda: fake.posted)
                await fake.tell(line(1, "晚上好呀"))
                heard = await soon(waiting)
        assert getattr(heard, "text", "") == "晚上好呀" and room.state.echoes == 1


async def test_the_emergency_stop_calls_back_what_is_waiting() -> None:
    """Nothing after it is posted."""
    async with fake_bilibili() as fake, poster(fake, clock=lambda: 1000.0) as found:
        state = AdapterState()
        async with outlet(found, state, Echoes(lambda: 1000.0)) as posting:
            await posting.show(approved("第一条", "a"))
            await posting.show(approved("第二条", "b"))
            await until(lambda: fake.posted)
            posting.clear()
            await until(lambda: undelivered(state))
        assert fake.posted == ["第一条"]


async def test_from_a_click_to_the_room_once_and_not_again_after_a_restart(tmp_path: Any) -> None:
    """Nothing before the click, exactly the approved words after it, nothing when the program starts again."""
    async with fake_bilibili() as fake:
        state, echoes = AdapterState(), Echoes(lambda: 1000.0)
        async with poster(fake) as found, outlet(found, state, echoes) as posting:
            house = House(tmp_path)
            house.show._outlets += (posting,)
            async with house.running():
                house.hear("今天玩什么？")
                card = await house.card()
                assert fake.posted == []
                await house.approve(card, "今天玩解谜。")
                await until(lambda: fake.posted)
        async with poster(fake) as found, outlet(found, state, echoes) as posting:
            again = House(tmp_path)
            again.show._outlets += (posting,)
            async with again.running():
                again.hear("那明天呢？", 2)
                await again.approve(await again.card(), "明天休息。")
                await until(lambda: len(fake.posted) == 2)
        assert fake.posted == ["今天玩解谜。", "明天休息。"]
