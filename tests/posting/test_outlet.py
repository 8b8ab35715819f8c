"""The outlet that posts: in order, at a pace, once, and nothing that has left the air. In virtual time."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.base import AdapterState
from adapters.echoes import Echoes
from bot.messages import Kind, Message, MessageId, Viewer
from bot.pace import Pace
from bot.posting.outlet import CannotPost, ChatOutlet, NotDelivered
from bot.posting.pieces import Piece
from tests.posting.approvals import approved
from tests.virtual_time import leap


def now() -> float:
    return asyncio.get_running_loop().time()


class Wall:
    """A platform that takes ten characters at a time and one piece a second; `fates` are errors, one a piece."""

    limit = 10

    def __init__(self, fates: Sequence[Exception | None] = (), takes: float = 0.0) -> None:
        self.paces: Sequence[Pace] = (Pace(1, 1.0),)
        self.posted: list[tuple[float, str]] = []
        self.tried: list[str] = []
        self._fates = list(fates)
        self._takes = takes
        self.not_ready: Exception | None = None

    async def ready(self) -> str:
        if self.not_ready:
            raise self.not_ready
        return ""

    async def post(self, piece: Piece) -> None:
        self.tried.append(piece.text)
        await asyncio.sleep(self._takes)
        if fate := self._fates.pop(0) if self._fates else None:
            raise fate
        self.posted.append((now(), piece.text))

    @property
    def words(self) -> list[str]:
        return [text for _, text in self.posted]


class Setting:
    def __init__(self, wall: Wall, **more: Any) -> None:
        self.wall = wall
        self.state = AdapterState()
        self.echoes = Echoes(now)
        self.outlet = ChatOutlet("p", wall, self.state, self.echoes, now, **more)

    @property
    def told(self) -> list[str]:
        return [notice.text for key, notice in self.state.notices.items() if key.startswith("undelivered")]


def play(wall: Wall, story: Callable[[Setting], Awaitable[None]], **more: Any) -> Setting:
    """Runs the outlet through a story, and then for as long as it has anything to do."""

    async def main() -> Setting:
        setting = Setting(wall, **more)
        running = asyncio.create_task(setting.outlet.run())
        await story(setting)
        await asyncio.sleep(1000)
        assert not running.done(), "nothing may end it"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return setting

    return leap(main())


def test_pieces_go_out_in_order_at_the_platform_s_pace():
    async def story(setting: Setting) -> None:
        await setting.outlet.show(approved("第一句话说完了。第二句话也说完了。", "a"))
        await setting.outlet.show(approved("好。", "b"))

    wall = play(Wall(), story).wall
    assert wall.words == ["第一句话说完了。", "第二句话也说完了。", "好。"]
    times = [at for at, _ in wall.posted]
    assert [late - early for early, late in pairwise(times)] == [1.0, 1.0]


@pytest.mark.parametrize("how", ["hide", "clear"])
def test_what_has_left_the_air_is_not_sent(how: str):
    """Taken back after its first piece; the operator is told how much did not go out."""

    async def story(setting: Setting) -> None:
        await setting.outlet.show(approved("一二三四五六七八九。" * 3, "a"))
        await asyncio.sleep(0.5)
        setting.outlet.hide("a") if how == "hide" else setting.outlet.clear()

    setting = play(Wall(), story)
    assert setting.wall.words == ["一二三四五六七八九。"]
    assert setting.told == ["没有送达：“一二三四五六七八九。” 还没轮到就已经离开画面（2 段）"]


def test_hiding_another_reply_changes_nothing():
    async def story(setting: Setting) -> None:
        await setting.outlet.show(approved("好的。", "a"))
        setting.outlet.hide("b")

    assert play(Wall(), story).wall.words == ["好的。"]


def test_what_is_on_its_way_is_called_back():
    """It may have gone out: nobody knows, and that is said."""

    async def story(setting: Setting) -> None:
        await setting.outlet.show(approved("好的。", "a"))
        await asyncio.sleep(1)
        setting.outlet.clear()
        await setting.outlet.show(approved("后来的。", "b"))

    setting = play(Wall(takes=5.0), story)
    assert setting.wall.words == ["后来的。"]
    assert setting.told == ["没有送达：“好的。” 正在发送时被收回，不知道有没有发出"]


@pytest.mark.parametrize("error", [NotDelivered("被拦下"), RuntimeError("某句话")], ids=["refused", "a fault of ours"])
def test_what_did_not_arrive_is_said_and_not_tried_again(error: Exception, caplog: pytest.LogCaptureFixture):
    """Nor is the rest of the same reply; the next one is. A fault of ours is named by its type only."""

    async def story(setting: Setting) -> None:
        await setting.outlet.show(approved("第一句话说完了。第二句话也说完了。", "a"))
        await setting.outlet.show(approved("下一条。", "b"))

    with caplog.at_level(logging.INFO):
        setting = play(Wall([error]), story)
    assert setting.wall.tried == ["第一句话说完了。", "下一条。"]
    assert setting.wall.words == ["下一条。"]
    (told,) = setting.told
    assert "第一句话说完了。" in told and ("被拦下" in told or "RuntimeError" in told)
    assert "某句话" not in caplog.text + told


def test_where_nothing_can_be_posted_any_more_nothing_is_tried():
    """The first refusal stands on the panel; every further reply is said to be lost, without a call."""

    async def story(setting: Setting) -> None:
        for number in "abc":
            await setting.outlet.show(approved(f"第 {number} 条", number))

    setting = play(Wall([CannotPost("令牌失效")]), story)
    assert setting.wall.tried == ["第 a 条"]
    assert setting.state.notices["posting"].text == "令牌失效"
    assert len(setting.told) == 3 and all("令牌失效" in told for told in setting.told)


def test_what_is_missing_is_said_at_the_start():
    """Before the first reply is lost for it. A platform that is away for the moment is asked again."""

    async def story(setting: Setting) -> None:
        await asyncio.sleep(1)
        assert setting.state.notices["posting"].text == "没有回应"
        setting.wall.not_ready = None
        await setting.outlet.show(approved("好的。"))

    wall = Wall()
    wall.not_ready = NotDelivered("没有回应")
    assert play(wall, story).wall.words == ["好的。"]


def test_a_piece_that_may_not_stand_alone_keeps_the_whole_reply_here():
    """Whole, it was checked when it was approved; a reply that is not cut is not asked about again."""

    async def story(setting: Setting) -> None:
        await setting.outlet.show(approved("这里没有问题。坏词在这里。", "a"))
        await setting.outlet.show(approved("坏词", "b"))

    setting = play(Wall(), story, check=lambda text: "词表" if "坏词" in text else "")
    assert setting.wall.words == ["坏词"]
    assert setting.told == ["没有送达：“坏词在这里。” 拆开发送时，这一段审核未通过：词表"]


def test_the_same_words_are_not_posted_again_at_once():
    async def story(setting: Setting) -> None:
        await setting.outlet.show(approved("好的。", "a"))
        await setting.outlet.show(approved("好的。", "b"))
        await asyncio.sleep(60)
        await setting.outlet.show(approved("好的。", "c"))

    setting = play(Wall(), story, repeat=30.0)
    assert setting.wall.words == ["好的。", "好的。"]
    assert len(setting.told) == 1


def test_what_comes_back_is_known_to_be_ours():
    """Even before the platform has answered."""
    heard: list[bool] = []

    async def story(setting: Setting) -> None:
        await setting.outlet.show(approved("好的。"))
        await asyncio.sleep(1)
        echo = Message(MessageId("p:1"), Kind.DANMAKU, Viewer("p", "u", "Bot"), "好的。")
        heard.append(setting.echoes.has(echo))

    play(Wall(takes=5.0), story)
    assert heard == [True]


def test_only_the_last_few_failures_stand_on_the_panel():
    """A night of refusals leaves a handful of notices."""

    async def story(setting: Setting) -> None:
        for number in range(50):
            await setting.outlet.show(approved(f"第 {number} 条", str(number)))

    setting = play(Wall([NotDelivered("x")] * 50), story)
    assert len(setting.told) == 5 and any("第 49 条" in told for told in setting.told)


STEPS = st.lists(
    st.tuples(st.sampled_from(["show", "hide", "clear"]), st.integers(0, 5), st.floats(0, 3)), min_size=1, max_size=25
)


@settings(max_examples=200, deadline=None)
@given(STEPS, st.floats(0, 2), st.lists(st.booleans(), max_size=10))
def test_whatever_operators_do_a_piece_is_tried_once_and_never_after_it_was_taken_back(
    steps: list[tuple[str, int, float]], takes: float, fails: list[bool]
):
    """Any story of airing, hiding and emergency stops, with a platform that is slow and refuses now and then."""
    shown: list[str] = []
    gone: dict[str, float] = {}

    async def story(setting: Setting) -> None:
        for number, (what, which, pause) in enumerate(steps):
            if what == "show":
                await setting.outlet.show(approved(f"甲{number}乙丙丁戊己。庚{number}辛", str(number)))
                shown.append(str(number))
            elif what == "hide" and shown:
                item = shown[which % len(shown)]
                setting.outlet.hide(item)
                gone.setdefault(item, now())
            elif what == "clear":
                setting.outlet.clear()
                gone.update({item: now() for item in shown if item not in gone})
            await asyncio.sleep(pause)

    setting = play(Wall([NotDelivered("x") if fail else None for fail in fails], takes), story)
    assert len(setting.wall.tried) == len(set(setting.wall.tried))
    for at, text in setting.wall.posted:
        item = "".join(char for char in text if char.isdigit())
        assert at <= gone.get(item, 1e9)
