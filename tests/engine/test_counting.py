"""How long texts are where nobody knows the vocabulary."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.engine.counting import PORTION, estimated, portions
from bot.engine.tokenizer import WorldTokenizer

PROSE = {
    "chinese": "小溪一边画画，一边陪大家聊天，窗外下着雨，桌上的茶还冒着热气。灯塔守说：今晚的海不对劲，你还是别出去了。",
    "english": "The old lighthouse stood at the edge of the sea, and nobody had lit it for years. She said: come on!",
    "mixed": "她把 Chromebook 合上，说 OK，12:30 在 Starbucks 门口见，不见不散。",
}


@pytest.fixture(scope="module")
def world() -> WorldTokenizer:
    return WorldTokenizer()


@pytest.mark.parametrize("text", PROSE.values(), ids=PROSE)
def test_an_estimate_is_near_the_world_vocabulary(world: WorldTokenizer, text: str) -> None:
    """Within a fifth, and it says that it is one."""
    counted = estimated([text, ""])
    assert not counted.exact and counted.tokens[1] == 0
    assert counted.tokens[0] == pytest.approx(len(world.encode(text)), rel=0.2)


@example([], [PORTION + 1, 1, PORTION, 2 * PORTION])
@given(st.lists(st.text(max_size=PORTION // 2)), st.lists(st.integers(1, PORTION * 2), max_size=5))
def test_portions_are_all_texts_in_order(texts: list[str], sizes: list[int]) -> None:
    """None is cut, none is larger than a portion unless it is one text alone, and none is empty."""
    texts = [*texts, *("字" * size for size in sizes)]
    cut = list(portions(texts))
    assert [text for portion in cut for text in portion] == texts
    assert all(len(portion) == 1 or sum(map(len, portion)) <= PORTION for portion in cut)
    assert all(cut)
