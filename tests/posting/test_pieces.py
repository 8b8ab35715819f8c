"""Cutting approved words: nothing added, nothing lost, nothing torn."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.posting.pieces import cut
from tests.posting.approvals import approved


def pieces(text: str, limit: int) -> list[str]:
    return [piece.text for piece in cut(approved(text), limit)]


@settings(max_examples=300, deadline=None)
@given(st.text("ab。！， \n\u0301😀\u200d字", min_size=1, max_size=80).filter(str.strip), st.integers(1, 30))
def test_the_pieces_together_are_the_words(text: str, limit: int):
    """But for white space; each within the limit, and none empty."""
    found = pieces(text, limit)
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(0 < len(piece) <= limit for piece in found)


@pytest.mark.parametrize(
    ("text", "limit", "found"),
    [
        ("短短的一句。", 20, ["短短的一句。"]),
        ("第一句话说完了。第二句话也说完了。", 10, ["第一句话说完了。", "第二句话也说完了。"]),
        ("没有句号，只有逗号的一句话", 8, ["没有句号，", "只有逗号的一句话"]),
        ("一二三四五六七八九十", 4, ["一二三四", "五六七八", "九十"]),
        ("好啊👩\u200d👩\u200d👧呀", 4, ["好啊", "👩\u200d👩\u200d", "👧呀"]),
        ("cafe\u0301s", 4, ["caf", "e\u0301s"]),
        ("两行\n合成一行", 20, ["两行 合成一行"]),
    ],
)
def test_a_cut_is_where_a_reader_would_pause(text: str, limit: int, found: list[str]):
    assert pieces(text, limit) == found
