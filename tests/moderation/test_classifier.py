"""The classifier of rough language: a number for every text, one finding at most, and never more than a suspicion."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.classifier import WEIGHTS, Classifier, buckets
from moderation.verdict import MILD, Direction, Finding
from tests.hostile import hostile_text

SHIPPED = Classifier()
ROUGH = "这种人就是垃圾，滚出去，恶心死了"
ORDINARY = ["主播晚上好", "这把打得真好，再来一把", "今天吃什么呀", "哈哈哈哈笑死我了", "刚下班，来看看", "gg", "666"]


def found(text: str, direction: Direction = Direction.IN) -> list[Finding]:
    return list(SHIPPED.check(text, direction))


def test_a_rough_text_is_suspected() -> None:
    """In both directions; the finding says that it is a guess, and whose."""
    for direction in Direction:
        [one] = found(ROUGH, direction)
        assert (one.category, one.severity, one.rule) == ("suspect", MILD, "classifier")
        assert one.source == f"classifier {SHIPPED.version}" and "%" in one.reason


@pytest.mark.parametrize("text", ["", " ", "\u200b", *ORDINARY])
def test_ordinary_chat_is_left_alone(text: str) -> None:
    """Nothing is found, and the score is on the ordinary side."""
    assert not found(text) and SHIPPED.score(text) < 0.5


def test_rough_texts_stand_above_ordinary_ones() -> None:
    """The score ranks."""
    assert min(SHIPPED.score(ROUGH), SHIPPED.score("傻逼东西")) > max(map(SHIPPED.score, ORDINARY))


def test_the_finding_points_at_the_words() -> None:
    """In the original, with what is invisible in it; what stands far from them is left out."""
    text = "晚上好，刚下班，这种人就是垃\u200b圾，滚出去，恶心死了！"
    [one] = found(text)
    assert "垃\u200b圾" in text[one.start : one.end]
    assert "晚上好" not in text[one.start : one.end]


@pytest.mark.parametrize("written", ["𝒔𝒃 垃\u200b圾，滚出去，恶心死了", "ＳＢ 垃圾，滾出去，噁心死了"])
def test_letters_are_read_as_the_lists_read_them(written: str) -> None:
    """Styled, wide and traditional letters, and invisible ones between, change nothing."""
    assert SHIPPED.score(written) == pytest.approx(SHIPPED.score("sb 垃圾，滚出去，恶心死了"))


@given(hostile_text | st.text(), st.sampled_from(["", ROUGH]), hostile_text | st.text())
def test_whatever_comes_gets_a_score(before: str, rough: str, after: str) -> None:
    """From 0 to 1; a finding lies inside the text and is not empty."""
    text = f"{before}{rough}{after}"
    assert 0 <= SHIPPED.score(text) <= 1
    for one in found(text):
        assert 0 <= one.start < one.end <= len(text)


def test_the_file_is_small_and_says_what_it_is() -> None:
    """At most 300 kB, with a version for the record."""
    assert WEIGHTS.stat().st_size <= 300_000
    assert SHIPPED.version and len(SHIPPED.version) < 20


def test_what_was_learnt_fits_what_is_read() -> None:
    """Scores of the day of training: whoever changes how letters are read, or counted, must train again."""
    wanted = {"這群人素質真低": 0.73, "ＳＢ 東西，滾": 0.045, "傻逼东西": 0.534, "你好": 0.001}
    assert {text: round(SHIPPED.score(text), 3) for text in wanted} == wanted


def test_buckets_are_of_letters_and_pairs() -> None:
    """With both ends marked: four letters and marks, three pairs."""
    assert len(buckets("好吗", 1 << 30)) == 7
    assert buckets("好吗", 1 << 30) != buckets("吗好", 1 << 30)


def test_weights_of_ones_own(tmp_path: Path) -> None:
    """Any number of weights; the sum is over what occurs, divided by the root of how much that is."""
    file = tmp_path / "own.int8"
    header = {"version": "x", "scale": 1.0, "bias": 0.0, "flag_from": 0.5}
    file.write_bytes(json.dumps(header).encode() + b"\n" + bytes([1]))
    own = Classifier(file)
    assert own.version == "x"
    assert own.score("好") == pytest.approx(1 / (1 + 2.718281828**-1))
    file.write_bytes(json.dumps(header).encode() + b"\n")
    with pytest.raises(ValueError, match="no weights"):
        Classifier(file)
