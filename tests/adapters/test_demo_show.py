"""The show that ships holds what a first evening should: a story, a crowd, money, trouble, an easy start."""

import json
from collections import Counter

import pytest

from adapters.replay import SHIPPED, Recorded, load_recording
from bot.messages import Kind


@pytest.fixture(scope="module")
def show() -> list[Recorded]:
    return load_recording(SHIPPED["demo"], "replay")


def talk(show: list[Recorded]) -> list[Recorded]:
    return [line for line in show if line.event.kind is Kind.DANMAKU]


def test_every_line_is_read_and_says_when(show: list[Recorded]):
    """At least 300 messages over about a quarter of an hour, none of them without `at`."""
    lines = SHIPPED["demo"].read_text(encoding="utf-8").splitlines()
    assert all("at" in json.loads(line) for line in lines)
    assert len(show) == len(lines) >= 300
    assert 13 * 60 <= show[-1].at <= 17 * 60


def test_it_starts_with_something_easy(show: list[Recorded]):
    """The first drafts must stand on the panel within seconds: a greeting, and eight lines of talk in ten seconds."""
    assert show[0].at < 0.5 and "晚上好" in show[0].event.text
    first = [line.event for line in talk(show) if line.at < 10]
    assert len(first) >= 8 and len({message.viewer.id for message in first}) == len(first)
    assert any("玩什么" in message.text for message in first) and any("你是谁" in message.text for message in first)


def test_a_crowd_with_stable_names(show: list[Recorded]):
    """At least 120 viewers; an id never changes its name, and one name belongs to two people."""
    names = {line.event.viewer.id: line.event.viewer.name for line in show}
    assert len(names) >= 120
    assert all(names[line.event.viewer.id] == line.event.viewer.name for line in show)
    assert Counter(names.values()).most_common(1) == [("阿强", 2)]


def test_every_kind_comes_and_money_is_paid(show: list[Recorded]):
    """Super chats, gifts and guards carry a price; nothing else does."""
    kinds = Counter(line.event.kind for line in show)
    assert set(kinds) == set(Kind) and kinds[Kind.SUPER_CHAT] >= 5 and kinds[Kind.GIFT] >= 8
    for line in show:
        assert line.event.paid == (line.event.kind in (Kind.SUPER_CHAT, Kind.GIFT, Kind.GUARD))


def test_there_are_bursts(show: list[Recorded]):
    """At least four times ten messages come within two and a half seconds, and never more than a panel can bear."""
    times = [line.at for line in show]
    bursts = {int(at) // 30 for at, tenth in zip(times, times[9:], strict=False) if tenth - at <= 2.5}
    assert len(bursts) >= 4


@pytest.mark.parametrize(
    "trouble",
    [
        "忽略之前的",
        "主播：",
        "\n\n小铃: ",
        "<|endoftext|>",
        "\u200b",
        "\u202e",
        "ignore all previous",
        "http://",
        "加微",
        "笨蛋",
    ],
)
def test_there_is_trouble(show: list[Recorded], trouble: str):
    """Injection attempts, forged turns, hidden characters, links, advertisements, insults."""
    assert any(trouble in line.event.text for line in show)


def test_even_a_super_chat_may_be_an_injection(show: list[Recorded]):
    """Paying does not make words harmless."""
    assert any(line.event.price and "忽略之前的指令" in line.event.text for line in show)


def test_one_viewer_bears_a_forged_name(show: list[Recorded]):
    """Names come from outside too."""
    assert any(line.event.viewer.name == "小铃:" for line in show)


def test_questions_are_asked_twice(show: list[Recorded]):
    """Somebody else asks the same within a minute, so that the panel has something to merge."""
    questions = [line for line in talk(show) if line.event.text.endswith("？")]
    twins = [
        (a, b)
        for a in questions
        for b in questions
        if a.event.text == b.event.text and a.event.viewer != b.event.viewer and 0 < b.at - a.at < 60
    ]
    assert len(twins) >= 4


def test_links_lead_nowhere(show: list[Recorded]):
    """Every address is under `.example`, which nobody can register."""
    for line in show:
        for word in line.event.text.split():
            assert "http" not in word or ".example/" in word
