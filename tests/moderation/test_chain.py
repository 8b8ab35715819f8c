"""The verdict over all filters, and what becomes of a text that could not be checked."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messages import Kind, Message, MessageId, Viewer
from moderation import Action, Chain, Direction, Finding, build_chain, screen_message, screen_reply
from moderation.chain import AT_THE_LIMIT, READ_LIMIT
from moderation.lists import load_lists
from moderation.policy import Policy
from tests.hostile import hostile_text


class Finds:
    """A filter that says what it is told to, and remembers what it was asked."""

    name = "finds"

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings
        self.asked: list[tuple[str, Direction]] = []

    def check(self, text: str, direction: Direction) -> Iterable[Finding]:
        self.asked.append((text, direction))
        return self.findings


class Fails:
    """A filter with a bug, before or in the middle of its findings."""

    name = "fails"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def check(self, text: str, direction: Direction) -> Iterable[Finding]:
        yield a_finding(1)
        raise self.error


def a_finding(severity: int, start: int = 0, end: int = 1) -> Finding:
    return Finding("insult", severity, "test", start, end, "测试")


def a_message(text: str, name: str = "阿强") -> Message:
    return Message(MessageId("1"), Kind.DANMAKU, Viewer("test", "7", name), text)


@pytest.mark.parametrize(
    ("severities", "message", "reply"),
    [
        ([], Action.PASS, Action.CLEAN),
        ([1], Action.FLAG, Action.FLAG),
        ([1, 2], Action.FLAG, Action.FLAG),
        ([2, 3, 1], Action.HOLD, Action.BLOCK),
        ([4], Action.HOLD, Action.HARD_BLOCK),
    ],
)
def test_the_gravest_finding_decides(severities: list[int], message: Action, reply: Action) -> None:
    """A verdict is as grave as the gravest of its findings."""
    chain = Chain([Finds(*map(a_finding, severities))])
    assert chain.screen_message("你好").action is message
    assert chain.screen_reply("你好").action is reply


@pytest.mark.parametrize("error", [ValueError("x"), KeyError(), RecursionError(), MemoryError(), AssertionError()])
def test_a_filter_that_fails_stops_the_text(error: Exception) -> None:
    """Fails closed, and says which check it was; the other filters are still asked."""
    other = Finds(a_finding(1))
    chain = Chain([Fails(error), other])
    for verdict in (chain.screen_message("你好"), chain.screen_message(a_message("你好"))):
        assert verdict.action is Action.HOLD
    verdict = chain.screen_reply("你好")
    assert verdict.action is Action.BLOCK
    assert [found.rule for found in verdict.findings] == ["test", "failed:fails"]
    assert "fails" in verdict.findings[1].reason and type(error).__name__ in verdict.findings[1].reason
    assert (verdict.findings[1].start, verdict.findings[1].end) == (0, 2)
    assert ("你好", Direction.OUT) in other.asked


@pytest.mark.parametrize("nonsense", [[a_finding(1, 0, 99)], ["傻"], [None], None])
def test_a_filter_that_answers_nonsense_stops_the_text(nonsense: Any) -> None:
    """A finding outside the text, or no finding at all, is a filter that failed."""

    class Nonsense:
        name = "nonsense"

        def check(self, text: str, direction: Direction) -> Any:
            return nonsense

    assert Chain([Nonsense()]).screen_reply("你好").action is Action.BLOCK


@pytest.mark.parametrize(("severity", "start", "end"), [(0, 0, 1), (5, 0, 1), (2, -1, 1), (2, 2, 1)])
def test_a_finding_has_a_place_and_a_severity(severity: int, start: int, end: int) -> None:
    """A finding that says nothing that could be shown or weighed cannot be made."""
    with pytest.raises(ValueError, match="severity|place"):
        a_finding(severity, start, end)


@pytest.mark.parametrize("direction", list(Direction))
def test_no_filter_reads_more_than_the_limit(direction: Direction) -> None:
    """A longer text is cut before any filter sees it, and does not go on: nobody has looked at the rest."""
    filter = Finds()
    chain = Chain([filter])
    screen = chain.screen_message if direction is Direction.IN else chain.screen_reply
    limit = READ_LIMIT[direction]
    assert screen("好" * limit).action in (Action.PASS, Action.CLEAN)
    verdict = screen("好" * 1_000_000)
    assert [len(text) for text, _ in filter.asked] == [limit, limit]
    assert verdict.action in (Action.HOLD, Action.BLOCK)
    start = limit - AT_THE_LIMIT if direction is Direction.IN else limit
    assert (verdict.findings[0].start, verdict.findings[0].end) == (start, 1_000_000)
    assert len(verdict.text) == (start + 1 if direction is Direction.IN else 1_000_000)


def test_the_name_is_screened_like_the_words() -> None:
    """What is found in a name is said to be in the name, and points at nothing in the words."""
    verdict = screen_message(a_message("晚上好", name="全家都是傻逼"))
    assert verdict.action is Action.HOLD
    assert [(found.start, found.end) for found in verdict.findings] == [(0, 0)]
    assert verdict.findings[0].reason.startswith("昵称：")


@given(hostile_text)
def test_findings_always_point_into_the_text(text: str) -> None:
    """In either direction, whatever the text, places are within it and the text is handed back unchanged."""
    for verdict in (screen_message(text), screen_reply(text)):
        assert verdict.text == text
        assert all(0 <= found.start <= found.end <= len(text) for found in verdict.findings)


@given(
    st.sampled_from(
        ["晚上好呀，今天玩什么？", "谢谢小鱼的礼物！", "12:30 开播", "gg nice", "哈哈哈哈", "❤️👨‍👩‍👧", "第一行\n第二行"]
    )
)
def test_ordinary_words_pass(text: str) -> None:
    """Neither chat nor an ordinary reply is touched."""
    assert screen_message(text).action is Action.PASS
    assert screen_reply(text).action is Action.CLEAN


def test_a_chain_is_built_from_plain_settings(tmp_path: Any) -> None:
    """Word files, lengths, links and names all reach their filters."""
    words = tmp_path / "mine.tsv"
    words.write_text("紫薯精\tcustom\t3\n", encoding="utf-8")
    chain = build_chain(words=load_lists([words]), max_length=10, reply_length=12, links="allow", speakers=["小麦"])
    assert chain.screen_message("你是紫薯精").action is Action.HOLD
    assert chain.screen_message("看 example.com").action is Action.FLAG  # eleven letters, and no link
    assert [found.rule for found in chain.screen_message("看 example.com").findings] == ["length"]
    assert chain.screen_reply("小麦: 你好").action is Action.HARD_BLOCK
    assert chain.screen_reply("一二三四五六七八九十十一十二").action is Action.FLAG


@pytest.mark.parametrize(
    "piece", ["-", "a", "ab.", "www.", "</", "<|", "### ", " \n", "小麦 ", "．a", "\u0301", "http:"]
)
def test_no_text_is_slow_to_screen(piece: str) -> None:
    """Patterns that would try every place against every other are told by their cost (usual: 4 ms)."""
    text = piece * 2000
    began = time.process_time()
    screen_message(text)
    screen_reply(text)
    assert time.process_time() - began < 0.1


def test_a_failing_filter_quotes_nobody_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """An error's own text may hold a viewer's words: they are for `debug` alone."""

    class Talkative:
        name = "talkative"

        def check(self, text: str, direction: Direction) -> list[Finding]:
            raise ValueError(f"cannot read {text}")

    with caplog.at_level(logging.INFO):
        Chain([Talkative()]).screen_message("这是观众说的话")
    assert "talkative" in caplog.text and "这是观众说的话" not in caplog.text


class Clock:
    """Moves on by what each check is said to cost, in seconds."""

    def __init__(self, *costs: float) -> None:
        self.costs = list(costs)
        self.now = 0.0
        self.asked = 0

    def __call__(self) -> float:
        self.asked += 1
        if self.asked % 2 == 0:
            self.now += self.costs.pop(0)
        return self.now


def test_a_filter_that_takes_too_long_stops_the_text() -> None:
    """Beyond the limit a check does not count as made, whatever it found; it is named, and how long it took."""
    chain = Chain([Finds(), Finds(a_finding(1))], clock=Clock(0.05, 0.9, 0.0501))
    verdict = chain.screen_message("你好")
    assert verdict.action is Action.HOLD
    assert [found.rule for found in verdict.findings] == ["test", "slow:finds"]
    assert "50 毫秒" in verdict.findings[1].reason
    assert Chain([Finds()], clock=Clock(0.051, 0.051)).screen_reply("你好").action is Action.BLOCK
    assert Chain([Finds()], clock=Clock(0.05)).screen_reply("你好").action is Action.CLEAN


def test_a_filter_is_slow_when_it_is_slow_twice() -> None:
    """A machine that was busy for a moment holds nobody's message."""
    slow = Finds(a_finding(1))
    assert Chain([slow], clock=Clock(0.9, 0.001)).screen_message("你好").action is Action.FLAG
    assert len(slow.asked) == 2


def test_a_slow_check_of_the_name_stops_the_message() -> None:
    """The name is part of the message."""
    verdict = Chain([Finds()], clock=Clock(1.0, 1.0, 0.0)).screen_message(a_message("你好"))
    assert verdict.action is Action.HOLD
    assert verdict.findings[0].reason.startswith("昵称：")


@pytest.mark.parametrize("level", range(5))
def test_what_was_not_checked_stops_at_every_level(level: int) -> None:
    """No setting turns a check that failed into a check that passed, and no reason lets the reply through."""
    policy = Policy(level, messages={"unchecked": 0}, replies={"unchecked": 0})
    chain = Chain([Fails(ValueError())], policy)
    held = chain.screen_message("你好")
    assert (held.action, [found.firm for found in held.findings]) == (Action.HOLD, [False])
    verdict = chain.screen_reply("你好")
    assert verdict.action is Action.BLOCK
    assert [found.firm for found in verdict.findings] == [True]


def test_what_is_masked_goes_on_masked() -> None:
    """In a message; the findings point into the original, and `shown` into what goes on. A reply is never changed."""
    number = Finding("privacy", 3, "mobile", 3, 14, "手机号", mask="[手机号]")
    later = Finding("insult", 1, "word", 15, 17, "测试")
    text = "我的号13800138000，呆子"
    verdict = Chain([Finds(number, later)]).screen_message(text)
    assert (verdict.action, verdict.text) == (Action.FLAG, "我的号[手机号]，呆子")
    assert [text[found.start : found.end] for found in verdict.findings] == ["13800138000", "呆子"]
    assert [verdict.text[found.start : found.end] for found in verdict.shown] == ["[手机号]", "呆子"]
    assert Chain([Finds(number)]).screen_message(text).action is Action.MASK
    reply = Chain([Finds(number)]).screen_reply(text)
    assert (reply.action, reply.text) == (Action.BLOCK, text)


def test_a_name_is_masked_on_its_own() -> None:
    """What is found in a name changes the name and not the words."""
    number = Finding("privacy", 3, "qq", 1, 7, "QQ号", mask="[QQ号]")
    verdict = Chain([InNames(number)]).screen_message(a_message("晚上好", name="加123456"))
    assert (verdict.action, verdict.text, verdict.name) == (Action.MASK, "晚上好", "加[QQ号]")


class InNames(Finds):
    """Finds nothing but in texts that begin with 加."""

    def check(self, text: str, direction: Direction) -> Iterable[Finding]:
        return self.findings if text.startswith("加") else ()


def test_a_verdict_says_what_it_was_made_with() -> None:
    """Each list and model with its version, as it was when the text was read."""

    class Listed(Finds):
        name = "words"
        version = "1a2b"

    listed = Listed()
    chain = Chain([Finds(), listed])
    first = chain.screen_message("你好")
    listed.version = "3c4d"
    assert (first.versions, chain.screen_reply("你好").versions) == ((("words", "1a2b"),), (("words", "3c4d"),))
