"""Who speaks next, as a proposal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.desk.cast import next_speakers
from bot.desk.story import Turns
from bot.scenario import Line, Origin

PRESENT = ("小麦", "小麦麦", "阿岩", "Anna")

said = st.lists(
    st.builds(
        Line,
        st.sampled_from([*PRESENT, "", "路人"]),
        st.text("小麦岩阿Anna ，", max_size=12),
        st.sampled_from([Origin.PERSON, Origin.SYSTEM]),
    ),
    max_size=6,
)


@given(said, st.lists(st.sampled_from(PRESENT), unique=True), st.sampled_from(Turns))
def test_everybody_present_and_nobody_else_is_proposed(lines: list[Line], present: list[str], turns: Turns) -> None:
    """Each once."""
    assert sorted(next_speakers(lines, present, turns)) == sorted(present)


@given(said, st.lists(st.sampled_from(PRESENT), unique=True, min_size=2))
def test_in_turn_everybody_speaks_once_in_a_round(lines: list[Line], present: list[str]) -> None:
    """Whoever is proposed first and speaks is then last; narration and strangers do not count."""
    order = next_speakers(lines, present, Turns.TURN)
    for name in order:
        assert next_speakers(lines, present, Turns.TURN)[0] == name
        lines = [*lines, Line(name, "好"), Line("", "风。"), Line("路人", "让让")]


def test_by_mention_the_named_come_first() -> None:
    """In the order in which the last line names them, the longer of two names that begin alike; never who said it."""
    lines = [Line("阿岩", "Anna，小麦麦呢？阿岩我可不去")]
    assert next_speakers(lines, PRESENT, Turns.MENTION) == ("Anna", "小麦麦", "小麦", "阿岩")
    assert next_speakers([Line("", "banana。")], PRESENT, Turns.MENTION) == PRESENT
    lines = [Line("小麦", "阿岩？"), Line("", "保存了：Anna", Origin.SYSTEM)]
    assert next_speakers(lines, PRESENT, Turns.MENTION)[0] == "阿岩"


def test_by_hand_the_order_stays() -> None:
    """Nothing moves under the hand."""
    assert next_speakers([Line("小麦", "Anna！")], PRESENT, Turns.HAND) == PRESENT
