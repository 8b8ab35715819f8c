"""How long a scene has become, and what is advised."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.desk.length import RECENT, TOO_MUCH, TokenCounts, advice, repetition, trained_context
from bot.engine.scripted import ScriptedEngine
from bot.engine.types import Counted
from bot.scenario import Line, Origin

PROSE = (
    "小溪一边画画，一边陪大家聊天。",
    "窗外下着雨，桌上的茶还冒着热气。",
    "灯塔守推门进来，说今晚的海不对劲。",
    "她放下笔，问他看见了什么。",
)


@pytest.mark.parametrize(
    ("name", "tokens"),
    [
        ("rwkv7-g1e-1.5b-20260309-ctx8192.pth", 8192),
        ("rwkv7-g1j-7.2b-20260831-ctx16384.pth", 16384),
        ("model.safetensors", 4096),
        ("", 4096),
    ],
)
def test_a_models_name_says_what_it_was_trained_on(name: str, tokens: int) -> None:
    """Where it does not, a usual length is taken."""
    assert trained_context(name) == tokens


def test_a_scene_that_is_too_long_is_said_with_its_figures() -> None:
    """From the first token beyond what the model was trained on, in both languages."""
    assert advice(8192, 8192) is None
    said = advice(8193, 8192)
    assert said is not None and "8,193" in said and "8,192" in said and "refresh" in said


def test_a_scene_that_repeats_itself_is_said() -> None:
    """Whatever its length."""
    said = advice(10, 8192, TOO_MUCH)
    assert said is not None and "25%" in said
    assert advice(10, 8192, TOO_MUCH - 0.01) is None


def test_repetition_is_what_the_last_lines_had_said_before() -> None:
    """Prose has next to none; the same line over and over is nearly all of it; what is long past does not count."""
    prose = [Line("小溪", text) for text in PROSE]
    assert repetition(prose) == 0
    assert repetition([Line("小溪", PROSE[0])] * 10) == pytest.approx(0.9)
    assert repetition([*prose, *(Line("", "好") for _ in range(RECENT - 1))]) > TOO_MUCH
    fresh = [Line("", "".join(chr(0x4E00 + n * 9 + at) for at in range(9))) for n in range(RECENT)]
    assert repetition([*prose, *prose, *fresh]) == 0


def test_notices_do_not_count_and_nothing_repeats_nothing() -> None:
    """Neither what the program says nor an empty scene."""
    notices = [Line("", PROSE[0], Origin.SYSTEM)] * 9
    assert repetition(notices) == repetition([]) == repetition([Line("", "…")]) == 0


class Counting(ScriptedEngine):
    """Writes down what it is asked to count; `exact` may be taken away."""

    def __init__(self) -> None:
        super().__init__()
        self.counted: list[list[str]] = []
        self.exact = True

    async def count(self, texts: Sequence[str]) -> Counted:
        self.counted.append(list(texts))
        return Counted(tuple(map(len, texts)), self.exact)


async def test_a_text_is_counted_once() -> None:
    """However often it comes; an estimate is asked for again, since the engine may soon know."""
    engine = Counting()
    counts = TokenCounts(engine)
    assert await counts.of(["一二", "三", "一二"]) == Counted((2, 1, 2))
    assert await counts.of(["三", "四五六"]) == Counted((1, 3))
    assert await counts.of(["三"]) == Counted((1,))
    assert engine.counted == [["一二", "三"], ["四五六"]]
    engine.exact = False
    for _ in range(2):
        assert await counts.of(["七", "三"]) == Counted((1, 1), exact=False)
    assert engine.counted[2:] == [["七"], ["七"]]


async def test_what_was_counted_first_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory has a bound, and a request larger than it is still answered."""
    monkeypatch.setattr("bot.desk.length.REMEMBERED", 2)
    engine = Counting()
    counts = TokenCounts(engine)
    assert (await counts.of(["一", "二", "三"])).tokens == (1, 1, 1)
    await counts.of(["二", "三"])
    await counts.of(["一"])
    assert engine.counted == [["一", "二", "三"], ["一"]]
