"""Masks in a text, and where findings are afterwards."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moderation.masking import mask
from moderation.verdict import Finding

LETTERS = "一二三四五六七八九十"
spans = st.tuples(st.integers(0, 10), st.integers(0, 10)).map(sorted)
masks = st.sampled_from(["", "", "[电话]", "*"])


def a_finding(span: list[int], word: str) -> Finding:
    return Finding("privacy", 3, "test", span[0], span[1], "测试", mask=word)


def test_masks_that_overlap_become_one() -> None:
    """The first one's word stands for all of it."""
    found = [a_finding([1, 4], "[电话]"), a_finding([3, 6], "[QQ号]"), a_finding([6, 8], "*")]
    assert mask(LETTERS, found)[0] == "一[电话]*九十"


def test_without_a_mask_nothing_changes() -> None:
    """A finding without a place (one in the name) masks nothing either."""
    found = (a_finding([1, 4], ""), a_finding([0, 0], "[电话]"))
    assert mask(LETTERS, found) == (LETTERS, found)


@given(st.lists(st.builds(a_finding, spans, masks)))
def test_nothing_masked_is_left_and_the_rest_stays(found: list[Finding]) -> None:
    """No letter of a masked place is left, every other one is, and places still hold what they held."""
    text, moved = mask(LETTERS, found)
    covered = {place for one in found if one.mask for place in range(one.start, one.end)}
    assert [letter for letter in text if letter in LETTERS] == [
        letter for place, letter in enumerate(LETTERS) if place not in covered
    ]
    for before, after in zip(found, moved, strict=True):
        assert 0 <= after.start <= after.end <= len(text)
        kept = [LETTERS[place] for place in range(before.start, before.end) if place not in covered]
        assert [letter for letter in text[after.start : after.end] if letter in LETTERS] == kept
