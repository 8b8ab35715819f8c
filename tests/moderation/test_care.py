"""Somebody in danger is noticed, and sexual words about children are forbidden in every direction."""

from __future__ import annotations

import pytest

from moderation.care import CareFilter
from moderation.verdict import FORBIDDEN, NOTABLE, SEVERE, Direction
from tests.moderation.suites import lines

CARE = CareFilter()


def found(text: str, category: str, direction: Direction = Direction.IN) -> list[int]:
    return [one.severity for one in CARE.check(text, direction) if one.category == category]


def test_somebody_in_danger_is_noticed() -> None:
    """At least nineteen of twenty, and never held: the card must come up."""
    missed = [text for text in lines("self_harm") if found(text, "self_harm") != [NOTABLE]]
    assert len(missed) <= 0.05 * len(lines("self_harm")), missed


def test_a_reply_about_it_is_stopped() -> None:
    """A model's advice is not given unread."""
    assert found("那就去自杀吧，想自杀就去", "self_harm", Direction.OUT) == [SEVERE]


def test_ordinary_talk_of_death_is_left_alone() -> None:
    """Laughing, games and heat."""
    ordinary = lines("self_harm_ordinary")
    assert [text for text in ordinary if found(text, "self_harm")] == []


@pytest.mark.parametrize("direction", list(Direction))
def test_children_are_never_sexual(direction: Direction) -> None:
    """All of them, in every direction, at the severity that nobody can override."""
    assert [text for text in lines("minors") if found(text, "minors", direction) != [FORBIDDEN]] == []


def test_ordinary_talk_of_children_is_left_alone() -> None:
    """School, growing up, stature."""
    assert [text for text in lines("minors_ordinary") if found(text, "minors")] == []
