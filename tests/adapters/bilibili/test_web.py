"""The web transport against the fake: what it asks, what it hears, and every bad mood."""

import asyncio
import json
import logging
import random
import struct
import zlib
from contextlib import aclosing
from typing import Any

import brotli
import pytest

from adapters.base import AdapterError, Phase
from adapters.bilibili import BilibiliAdapter, wbi
from adapters.bilibili.web_api import WebApi
from adapters.testing import check_adapter
from bot.messages import Message
from tests.adapters.bilibili.listening import TIME, TOLD, WEB, adapter, gift, gift_v2, hear, line, texts, told
from tests.adapters.patience import soon
from tests.fakes import bilibili
from tests.fakes.bilibili import (
    ACCOUNT,
    BUVID3,
    GET_INFO,
    HOSTS,
    INFO,
    NAV,
    ROOM,
    SESSDATA,
    SHORT,
    Fake,
    drops,
    fake_bilibili,
    frame,
    packet,
    says_nothing,
)
from tests.waiting import until

GOOD = frame(line(1, "好"))


def test_a_request_is_signed_as_the_pages_sign_it() -> None:
    """A known key and a known signature."""
    assert wbi.key(bilibili.IMAGE, bilibili.SUB) == "ea1db124af3c7062474693fa704f4ff8"
    signed = wbi.signed({"type": 0, "id": 5553263}, "ea1db124af3c7062474693fa704f4ff8", 1776925721.9)
    assert signed["w_rid"] == "2662a4f8479c442aa069cef32d60394b" and list(signed) == ["id", "type", "wts", "w_rid"]
    assert wbi.signed({"a": "x!'()*y"}, "", 0)["a"] == "xy"


def test_the_key_is_found_in_what_guests_are_told() -> None:
    """Whatever else the answer holds; "" where the pictures are missing."""
    pictures = {"img_url": f"https://x/bfs/wbi/{bilibili.IMAGE}.png", "sub_url": f"https://x/{bilibili.SUB}.png?a=1"}
    assert wbi.key_of({"code": -101, "data": {"wbi_img": pictures}}) == bilibili.WBI_KEY
    for odd in (None, {}, {"data": {"wbi_img": {"img_url": 5, "sub_url": "https://x/short.png"}}}):
        assert wbi.key_of(odd) == ""


# -- a good day ----------------------------------------------------------------------------------------------------


async def test_a_room_is_heard_in_order_each_thing_once() -> None:
    """By the short number; the streamer's words are known by the number of the room's owner."""
    async with fake_bilibili() as fake, adapter(fake, SHORT) as (room, _):
        fake.says = [frame(*WEB), frame(line(9, "主播说", uid=bilibili.OWNER, name="主播"))]
        heard = await hear(room, len(TOLD) + 1)
        assert told(heard[:-1]) == TOLD
        assert isinstance(heard[-1], Message) and [role.value for role in heard[-1].viewer.roles] == ["streamer"]
        (login,) = fake.logins
        assert login == login | {"uid": 0, "roomid": ROOM, "protover": 2, "platform": "web", "type": 2, "buvid": BUVID3}
        assert fake.paths() == [NAV, "/", GET_INFO, INFO, "/sub"]
        assert room.state.duplicates == 1 and room.state.bad == 0


async def test_heartbeats_go_out_and_their_answers_keep_a_quiet_room_alive() -> None:
    """Nobody writes; the connection stays the same one."""
    async with fake_bilibili() as fake, adapter(fake) as (room, _):
        room.silence = 3.0
        fake.says = [GOOD]
        async with aclosing(room.messages()) as events:
            await soon(anext(events))
            await until(lambda: fake.heartbeats > 160)
            assert len(fake.logins) == 1 and room.state.state is Phase.LIVE and room.state.bad == 0


async def test_an_author_s_check_finds_nothing() -> None:
    """The adapter behaves as the show expects: shape, ids, tasks, both ways of being let go."""
    async with fake_bilibili() as fake, fake.session() as session:
        fake.says = [frame(*WEB)]
        make = lambda: BilibiliAdapter(ROOM, session=session, transport="builtin", clock=lambda: TIME + 5.0)  # noqa: E731
        problems = await check_adapter(make)
        assert [one for one in problems if not one.startswith("left running")] == []
        # The fake's own tasks are on this loop, too.
        assert [task for task in asyncio.all_tasks() if task.get_name().endswith("bilibili")] == []


async def test_without_a_session_it_makes_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """And closes it, also when it is let go in the middle."""
    async with fake_bilibili() as fake:
        made: list[Any] = []

        def make(**arguments: Any) -> Any:
            made.append(fake.session(**arguments))
            return made[-1]

        monkeypatch.setattr("adapters.bilibili.web.ClientSession", make)
        fake.says = [GOOD]
        room = BilibiliAdapter(ROOM, transport="builtin")
        assert texts(await hear(room, 1)) == ["好"]
        assert len(made) == 1 and made[0].closed


async def test_gifts_that_flip_between_the_forms_are_each_told_once() -> None:
    """V1, V2, the same again, V1."""
    async with fake_bilibili() as fake, adapter(fake) as (room, _):
        fake.says = [
            frame(gift(1, "花", 1, 100), gift_v2(2, "花", 1, 100)),
            frame(gift(2, "花", 1, 100), gift_v2(1, "花", 1, 100), gift(3, "花", 1, 100), line(1, "完")),
        ]
        heard = await hear(room, 4)
        assert [event.id for event in heard if isinstance(event, Message)] == [
            *(f"bilibili:gift:{n}" for n in (1, 2, 3)),
            "bilibili:dm:dm-1",
        ]


async def test_a_row_of_gifts_comes_when_it_is_over() -> None:
    """By the loop's own clock, without another command; and at the end of a connection at the latest."""
    async with fake_bilibili() as fake, adapter(fake) as (room, _):
        row = gift(1, "花", 2, 200)
        row["data"]["batch_combo_id"] = "batch:1"

        async def says_it_and_goes(fake: Fake, socket: Any) -> None:
            await socket.send_bytes(frame(row))

        fake.lives.append(says_it_and_goes)
        assert texts(await hear(room, 1)) == ["花 x2"]


# -- the account ---------------------------------------------------------------------------------------------------


async def test_an_account_logs_in_and_does_not_hear_itself() -> None:
    """Its uid is in the login; what it writes itself is an echo."""
    async with fake_bilibili() as fake, adapter(fake, sessdata=SESSDATA) as (room, _):
        fake.says = [frame(line(1, "我自己", uid=ACCOUNT, name="小号"), line(2, "别人"))]
        assert texts(await hear(room, 1)) == ["别人"]
        assert fake.logins[0]["uid"] == ACCOUNT and room.state.echoes == 1 and "login" not in room.state.notices


async def test_a_streamer_s_own_account_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamers write by hand as well; only words that an outlet has just posted are taken for ours."""
    monkeypatch.setattr(bilibili, "ACCOUNT", bilibili.OWNER)
    async with fake_bilibili() as fake, adapter(fake, sessdata=SESSDATA) as (room, _):
        room.echoes.sent("机器人说的")
        own = [line(1, "我手打的", uid=bilibili.OWNER), line(2, "机器人说的", uid=bilibili.OWNER)]
        fake.says = [frame(*own, line(3, "别人"))]
        assert texts(await hear(room, 2)) == ["我手打的", "别人"] and room.state.echoes == 1


async def test_the_cookie_goes_to_the_api_only(caplog: pytest.LogCaptureFixture) -> None:
    """Not to the home page, not to the chat servers, not along a redirect, not into the log at any level."""
    caplog.set_level(logging.DEBUG)
    async with fake_bilibili() as fake, adapter(fake, sessdata=SESSDATA) as (room, pauses):
        fake.move(GET_INFO, "https://www.bilibili.com/elsewhere")
        fake.says = [GOOD]
        await hear(room, 1)
        got = {host for host, _, cookies, _ in fake.requests if "SESSDATA" in cookies}
        assert got == {"api.bilibili.com", "api.live.bilibili.com"}
        seen = [(host, path) for host, path, _, headers in fake.requests if "a1b2" in json.dumps(headers)]
        assert all(host in got for host, _ in seen)
        assert "/elsewhere" not in fake.paths() and len(pauses.seconds) == 1
    assert "a1b2" not in caplog.text


async def test_the_cookie_is_not_sent_in_the_clear() -> None:
    """Only https, only the two hosts."""
    from yarl import URL

    async with fake_bilibili() as fake, fake.session() as session:
        api = WebApi(session, sessdata="x")
        assert api.may_have_account(URL("https://api.bilibili.com/x"))
        assert api.may_have_account(URL("https://api.live.bilibili.com/x"))
        for place in (
            "http://api.bilibili.com/x",
            "https://www.bilibili.com/",
            "https://api.bilibili.com.evil.example/",
        ):
            assert not api.may_have_account(URL(place))


async def test_an_expired_cookie_is_said_and_the_guest_listens_on() -> None:
    """The show goes on; the panel tells what to do."""
    async with fake_bilibili() as fake, adapter(fake, sessdata="old, with\r\nodd letters") as (room, _):
        fake.says = [GOOD]
        assert texts(await hear(room, 1)) == ["好"]
        assert "SESSDATA" in room.state.notices["login"].text and fake.logins[0]["uid"] == 0


@pytest.mark.parametrize(
    "sign",
    [{"cmd": "LOG_IN_NOTICE", "data": {"notice_msg": "未登录"}}, line(2, "打码的", uid=0, name="观***")],
    ids=["the server's notice", "masked names"],
)
async def test_masked_names_are_said_on_the_panel(sign: dict[str, Any]) -> None:
    """A visible warning that names the two ways out."""
    async with fake_bilibili() as fake, adapter(fake) as (room, _):
        fake.says = [frame(sign, line(3, "后面的"))]
        heard = await hear(room, 2 if sign["cmd"] == "DANMU_MSG" else 1)
        assert "adapters.bilibili.sessdata" in room.state.notices["login"].text
        assert "open_live" in room.state.notices["login"].text
        if sign["cmd"] == "DANMU_MSG":
            assert isinstance(heard[0], Message) and heard[0].viewer.id == "anon:77"


async def test_a_room_that_is_not_on_the_air_says_so_until_it_is() -> None:
    """`LIVE` takes the notice back; a warning of Bilibili's is shown in its words."""
    async with fake_bilibili() as fake, adapter(fake) as (room, _):
        fake.on_air = False
        fake.says = [GOOD]
        async with aclosing(room.messages()) as events:
            await soon(anext(events))
            assert "offline" in room.state.notices
            await fake.tell({"cmd": "LIVE", "roomid": ROOM}, {"cmd": "WARNING", "msg": "注意言论"}, line(2, "二"))
            await soon(anext(events))
            assert "offline" not in room.state.notices and "注意言论" in room.state.notices["warning"].text


# -- bad moods: HTTP -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "odd", "least"),
    [
        (INFO, {"code": -352, "message": "-352"}, 600),
        (GET_INFO, {"code": -412, "message": "请求被拦截"}, 600),
        (NAV, {"code": -352}, 600),
        (INFO, {"status": 412, "body": "<html>banned</html>"}, 600),
        (INFO, {"status": 429, "code": -509}, 300),
        (INFO, {"body": "<html>验证码</html>"}, 300),
        (NAV, {"body": "<html>维护</html>"}, 300),
    ],
    ids=["-352", "-412", "nav -352", "412", "429", "HTML", "nav HTML"],
)
async def test_when_it_is_told_to_leave_it_waits_for_minutes(path: str, odd: dict[str, Any], least: float) -> None:
    """Calling at once would make it worse; after the wait everything is asked anew."""
    async with fake_bilibili() as fake, adapter(fake) as (room, pauses):
        fake.answer(path, **odd)
        fake.says = [GOOD]
        assert texts(await hear(room, 1)) == ["好"]
        assert len(pauses.seconds) == 1 and least <= pauses.seconds[0] <= 1.25 * least


@pytest.mark.parametrize(
    ("path", "odd"),
    [
        (INFO, {"status": 502, "body": "<html>bad gateway</html>"}),
        (INFO, {"code": 0, "data": {"token": "", "host_list": []}}),
        (INFO, {"code": 0, "data": None}),
        (INFO, {"code": -500, "message": "服务器错误"}),
        (GET_INFO, {"status": 500, "code": 0}),
        (GET_INFO, {"code": 99, "message": "?"}),
        (NAV, {"code": -500}),
    ],
)
async def test_other_faults_are_tried_again_soon(path: str, odd: dict[str, Any]) -> None:
    """A server's bad moment."""
    async with fake_bilibili() as fake, adapter(fake) as (room, pauses):
        fake.answer(path, **odd)
        fake.says = [GOOD]
        assert texts(await hear(room, 1)) == ["好"]
        assert pauses.seconds == [1.0]


async def test_a_room_that_does_not_exist_stops_with_advice() -> None:
    """It never will: the text says which number, and where the right one stands."""
    async with fake_bilibili() as fake, adapter(fake, 404404) as (room, pauses):
        with pytest.raises(AdapterError, match="404404.*live.bilibili.com"):
            await hear(room, 1)
        assert room.state.state is Phase.FAILED and pauses.seconds == []


async def test_a_fresh_key_is_asked_for_after_a_refusal() -> None:
    """A key is kept for half a day, a token for one login only, and every login takes the next server."""
    async with fake_bilibili() as fake, adapter(fake) as (room, _):
        fake.says = [frame(line(1, "一"))]
        fake.lives.extend([drops, drops])
        await hear(room, 1)
        assert fake.paths().count(NAV) == 1 and fake.paths().count("/") == 1
        assert len({login["key"] for login in fake.logins}) == 3
        assert fake.called == [HOSTS[0], HOSTS[1], HOSTS[0]]
    async with fake_bilibili() as fake, adapter(fake) as (room, _):
        fake.says = [GOOD]
        fake.answer(INFO, code=-352)
        await hear(room, 1)
        assert fake.paths().count(NAV) == 2


async def test_without_a_cookie_from_the_home_page_the_api_is_asked() -> None:
    """`buvid3` has a second source."""
    async with fake_bilibili() as fake, adapter(fake) as (room, _):
        fake.answer("/", body="<html>no cookie today</html>")
        fake.answer("/x/frontend/finger/spi", code=0, data={"b_3": BUVID3, "b_4": "x"})
        fake.says = [GOOD]
        assert texts(await hear(room, 1)) == ["好"]


async def test_odd_servers_in_the_list_are_left_out() -> None:
    """Nothing of the list is trusted to be a name; with none left the well-known one is called."""
    async with fake_bilibili() as fake, adapter(fake) as (room, _):
        odd = [{"host": "evil.example/x?", "wss_port": 443}, {"host": "a.chat.bilibili.com", "wss_port": 0}, None, 5]
        token = fake._token()
        fake.answer(INFO, code=0, data={"token": token, "host_list": odd})
        fake.says = [GOOD]
        await hear(room, 1)
        assert fake.called == ["broadcastlv.chat.bilibili.com"]


# -- bad moods: the chat servers -----------------------------------------------------------------------------------


async def test_a_refused_login_is_tried_with_a_new_token_and_growing_pauses() -> None:
    """−101, three times."""
    async with fake_bilibili() as fake, adapter(fake) as (room, pauses):
        fake.refusals.extend([-101, -101, -101])
        fake.says = [GOOD]
        assert texts(await hear(room, 1)) == ["好"]
        assert pauses.seconds == [1.0, 2.0, 4.0] and len({login["key"] for login in fake.logins}) == 4


async def test_a_server_that_does_not_answer_the_login_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """After five seconds, here fewer."""
    monkeypatch.setattr("adapters.bilibili.stream.LOGIN_SECONDS", 0.05)
    async with fake_bilibili() as fake, adapter(fake) as (room, pauses):
        fake.answers_logins = False
        fake.says = [GOOD]
        hearing = asyncio.create_task(hear(room, 1))
        await until(lambda: pauses.seconds)
        fake.answers_logins = True
        assert texts(await hearing) == ["好"] and pauses.seconds[0] == 1.0


async def test_the_login_comes_before_the_server_s_deadline() -> None:
    """A server that waits a moment only still gets it."""
    async with fake_bilibili() as fake, adapter(fake) as (room, pauses):
        fake.login_patience = 2.0
        fake.says = [GOOD]
        assert texts(await hear(room, 1)) == ["好"] and pauses.seconds == []


async def test_a_server_that_takes_and_drops_is_called_ever_more_seldom() -> None:
    """An accepted login is no health."""
    async with fake_bilibili() as fake, adapter(fake) as (room, pauses):
        fake.lives.extend([drops] * 5)
        fake.says = [GOOD]
        assert texts(await hear(room, 1)) == ["好"]
        assert pauses.seconds == [1.0, 2.0, 4.0, 8.0, 16.0]


async def test_a_server_that_falls_silent_is_left() -> None:
    """No answer to heartbeats, no words: the connection is dead, whatever TCP says."""
    async with fake_bilibili() as fake, adapter(fake) as (room, pauses):
        room.silence = 0.5
        fake.lives.append(says_nothing)
        fake.says = [GOOD]
        assert texts(await hear(room, 1)) == ["好"]
        assert len(fake.logins) >= 2 and pauses.seconds and "gap" in room.state.notices


def cut_off() -> list[tuple[str, list[bytes | str], int]]:
    """What a server may send instead of a good frame, and how much of it counts as bad at least."""
    plain = packet(bilibili.COMMAND, json.dumps(line(7, "七")).encode())
    bomb = packet(bilibili.COMMAND, b'{"cmd":"X"}') * 500_000
    head = struct.pack(">IHHII", 5000, 16, 0, bilibili.COMMAND, 0)
    return [
        ("text frames", ["hello", '{"cmd":"DANMU_MSG"}'], 2),
        ("not JSON", [packet(bilibili.COMMAND, b"<html>")], 1),
        ("unknown operations", [packet(77, b"{}"), packet(0, b"")], 2),
        ("a truncated header", [plain[:9]], 1),
        ("wrong lengths", [head + b"{}", struct.pack(">IHHII", 4, 16, 0, 5, 0) + b"{}"], 2),
        ("an unknown version", [packet(bilibili.COMMAND, b"{}", 9)], 1),
        ("a zlib bomb", [packet(bilibili.COMMAND, zlib.compress(bomb, 9), 2)], 1),
        ("a brotli bomb", [packet(bilibili.COMMAND, brotli.compress(bomb, quality=5), 3)], 1),
        ("noise", [random.Random(3).randbytes(500)], 1),
        ("an empty frame", [b""], 0),
    ]


@pytest.mark.parametrize(("name", "odd", "bad"), cut_off(), ids=[name for name, _, _ in cut_off()])
async def test_odd_frames_cost_only_themselves(name: str, odd: list[bytes | str], bad: int) -> None:
    """What comes before and behind is heard, on the same connection, and the panel counts what was bad."""
    async with fake_bilibili() as fake, adapter(fake) as (room, pauses):
        fake.says = [frame(line(1, "前")), *odd, frame(line(2, "后"))]
        assert texts(await hear(room, 2)) == ["前", "后"]
        assert pauses.seconds == [] and bad <= room.state.bad <= max(bad, 40)


async def test_every_version_mixed_and_several_packets_a_frame() -> None:
    """0, 2 and 3 in one frame, and a frame of many; the order is the server's."""
    async with fake_bilibili() as fake, adapter(fake) as (room, _):
        lines = [line(n, str(n)) for n in range(12)]
        squeezed = packet(bilibili.COMMAND, brotli.compress(frame(*lines[4:6], version=0)), 3)
        fake.says = [
            frame(lines[0], version=0) + frame(*lines[1:4]) + squeezed + frame(lines[6], version=0),
            frame(*lines[7:12]),
        ]
        assert texts(await hear(room, 12)) == [str(n) for n in range(12)]


async def test_what_is_delivered_twice_is_heard_once() -> None:
    """Also over a reconnect."""
    async with fake_bilibili() as fake, adapter(fake) as (room, _):

        async def says_and_goes(fake: Fake, socket: Any) -> None:
            await socket.send_bytes(frame(line(1, "一"), line(2, "二"), line(1, "一")))

        fake.lives.append(says_and_goes)
        fake.says = [frame(line(2, "二"), line(3, "三"))]
        assert texts(await hear(room, 3)) == ["一", "二", "三"]
        assert room.state.duplicates == 2


async def test_a_clock_that_is_wrong_harms_nothing() -> None:
    """Ahead of ours counts as now; behind it stays what the platform says."""
    async with fake_bilibili() as fake, adapter(fake) as (room, _):
        fake.says = [frame(line(1, "将来", time=TIME + 86400), line(2, "过去", time=TIME - 86400))]
        ahead, behind = await hear(room, 2)
        assert isinstance(ahead, Message) and isinstance(behind, Message)
        assert TIME <= ahead.time < TIME + 60 and behind.time == TIME - 86400


async def test_our_clock_set_back_between_connections_harms_nothing() -> None:
    """A row of gifts is still told in time."""
    times = [TIME + 7200.0, TIME + 7200.0]
    async with (
        fake_bilibili() as fake,
        adapter(fake, clock=lambda: times.pop(0) if times else float(TIME)) as (room, _),
    ):

        async def says_and_goes(fake: Fake, socket: Any) -> None:
            await socket.send_bytes(frame(line(1, "一")))

        fake.lives.append(says_and_goes)
        fake.says = [frame(line(2, "二"))]
        assert texts(await hear(room, 2)) == ["一", "二"]


async def test_letting_go_closes_the_connection() -> None:
    """The server sees the client go."""
    async with fake_bilibili() as fake, adapter(fake) as (room, _):
        fake.says = [GOOD]
        async with aclosing(room.messages()) as events:
            await soon(anext(events))
        await until(lambda: not fake._sockets)


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_day_of_faults_loses_and_doubles_nothing_that_was_sent(seed: int) -> None:
    """Forty connections, each with a fault of its own: what the server has sent comes once, in its order."""
    source = random.Random(seed)
    sent: list[str] = []
    small = [odd[0] for name, odd, _ in cut_off() if "bomb" not in name]

    async def says_some_and_goes(fake: Fake, socket: Any) -> None:
        for _ in range(source.randrange(4)):
            number = len(sent)
            sent.extend((str(number), str(number + 1)))
            again = line(max(0, number - 1), str(max(0, number - 1)))
            lines = line(number, str(number)), line(number + 1, str(number + 1)), again
            await socket.send_bytes(frame(*lines, version=source.choice((0, 2))))
            odd = source.choice(small)
            await (socket.send_str(odd) if isinstance(odd, str) else socket.send_bytes(odd))

    async with fake_bilibili() as fake, adapter(fake) as (room, pauses):
        for _ in range(40):
            match source.randrange(6):
                case 0:
                    fake.refusals.append(-101)
                case 1:
                    fake.answer(
                        INFO, **source.choice(({"code": -352}, {"status": 412, "body": "<html>"}, {"code": -500}))
                    )
                case 2:
                    fake.answer(GET_INFO, body="<html>")
                case _:
                    fake.lives.append(says_some_and_goes)
        fake.says = [frame(line(10**6, "完"))]
        heard = texts(await hear_until(room, "完"))
        assert heard == [*sent, "完"] and len(sent) > 10 and len(pauses.seconds) > 20


async def hear_until(room: BilibiliAdapter, last: str) -> list[Any]:
    heard: list[Any] = []

    async def listen() -> None:
        async with aclosing(room.messages()) as events:  # type: ignore[type-var]
            async for event in events:
                heard.append(event)
                if isinstance(event, Message) and event.text == last:
                    return

    await soon(listen())
    return heard
