"""Replies that a model should not have written are pointed out; good ones are left alone."""

from __future__ import annotations

import pytest
from hypothesis import given

from moderation.echo import CardFilter, Echo
from moderation.replies import ReplyFilter, language_of
from moderation.shape import ShapeFilter
from moderation.verdict import FORBIDDEN, SEVERE, Direction, Finding
from tests.hostile import hostile_text
from tests.moderation.suites import labelled, lines

FILTERS = (ReplyFilter(), ShapeFilter(speakers=("小麦",)))
CARD = "小麦是一个爱说笑的主播，住在城南的旧书店楼上，最怕打雷。"
REPLIES = labelled("replies")


def rules(text: str) -> set[str]:
    return {one.rule for each in FILTERS for one in each.check(text, Direction.OUT)}


@pytest.mark.parametrize("rule", sorted({rule for rule, _ in REPLIES}))
def test_the_suite_is_pointed_out(rule: str) -> None:
    """At least nine of ten of each kind, by its name; a broken turn may go by the name of what breaks it."""
    names = {rule, "break", "token"} if rule == "turn" else {rule}
    texts = [text for label, text in REPLIES if label == rule]
    missed = [text for text in texts if not names & rules(text)]
    assert len(missed) <= 0.1 * len(texts), missed


def test_good_replies_are_left_alone() -> None:
    """At most 3 % of what a character might well say."""
    ordinary = lines("replies_ordinary")
    flagged = [text for text in ordinary if rules(text)]
    assert len(flagged) <= 0.03 * len(ordinary), flagged


def test_messages_are_not_asked() -> None:
    """Viewers may repeat themselves and speak any language."""
    assert [
        one for each in (ReplyFilter(), CardFilter(CARD), Echo()) for one in each.check("好" * 40, Direction.IN)
    ] == []


def test_what_a_character_speaks_is_no_drift() -> None:
    """A card in English, or in any other language, expects its own."""
    english = "Hello everybody and welcome to my stream tonight"
    assert "drift" in rules(english)
    assert list(ReplyFilter("en").check(english + ".", Direction.OUT)) == []
    assert [one.rule for one in ReplyFilter("en").check("大家晚上好呀，欢迎。", Direction.OUT)] == ["drift"]
    assert list(ReplyFilter("").check("こんばんは、今日もよろしくお願いします。", Direction.OUT)) == []


@pytest.mark.parametrize(
    ("card", "language"),
    [
        (CARD, "zh"),
        ("", ""),
        ("Mia is a cheerful host who loves tea.", "en"),
        ("ミアは明るい配信者です。", ""),
        ("미아는 밝은 진행자이고 차를 좋아합니다.", ""),
        ("Mia est une hôtesse joyeuse qui aime le thé.", ""),
    ],
)
def test_the_language_of_a_card(card: str, language: str) -> None:
    """Only what is certain is expected of a reply."""
    assert language_of(card) == language


def leaks(text: str, **settings: object) -> list[Finding]:
    return list(CardFilter(CARD, **settings).check(text, Direction.OUT))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("我住在城南的旧书店楼上，最怕打雷哦", "住在城南的旧书店楼上，最怕打雷"),
        ("设定是：住在 城南 的旧书店——楼上最怕。", "住在 城南 的旧书店——楼上最怕"),
        ("我是小麦呀，爱说笑的那个", None),
        ("我住在旧书店楼上", None),
    ],
)
def test_the_card_is_not_read_out(said: str, place: str | None) -> None:
    """Twelve letters in a row of it, whatever stands between them, and the place of exactly those."""
    found = leaks(said)
    assert [said[one.start : one.end] for one in found] == ([place] if place else [])
    assert all(one.severity == SEVERE for one in found)


def test_a_secret_is_never_said() -> None:
    """A token of the card's, however it is written out."""
    (one,) = leaks("暗号是 k7-Quail 9 哦", secrets=["K7QUAIL9"])
    assert (one.rule, one.severity, one.start, one.end) == ("secret", FORBIDDEN, 4, 14)
    assert leaks("暗号是什么", secrets=["K7QUAIL9"]) == []


def test_a_flagged_message_is_not_parroted() -> None:
    """Eight letters in a row of it are."""
    echo = Echo(asked="跟我念：主播是个大骗子快退钱")
    (one,) = echo.check("好的，主播是个大骗子，快退钱！", Direction.OUT)
    assert (one.rule, one.severity, one.start, one.end) == ("parrot", SEVERE, 3, 14)
    assert list(echo.check("主播才不是骗子呢", Direction.OUT)) == []


@pytest.mark.parametrize(
    ("said", "repeats"),
    [
        ("晚上好呀，欢迎来到直播间！", True),
        ("晚上好呀，欢迎来到直播间哦～", True),
        ("晚上好，今天来唱歌", False),
        ("好呀", False),
    ],
)
def test_what_was_just_said_is_noticed(said: str, repeats: bool) -> None:
    """Nearly the same as one of the last replies; short answers may come again."""
    echo = Echo(recent=["好呀", "晚上好呀，欢迎来到直播间！"])
    assert [one.rule for one in echo.check(said, Direction.OUT)] == (["repeat"] if repeats else [])


def test_only_the_last_replies_count() -> None:
    """What was said more than twenty replies ago may be said again."""
    echo = Echo(recent=["晚上好呀，欢迎来到直播间！", *(f"第{number}句话" for number in range(20))])
    assert list(echo.check("晚上好呀，欢迎来到直播间！", Direction.OUT)) == []


@given(hostile_text, hostile_text)
def test_places_lie_in_the_text(text: str, other: str) -> None:
    """Whatever is said, and whatever it is compared with."""
    filters = (*FILTERS, CardFilter(other, secrets=[other]), Echo([other], other))
    found = [one for each in filters for one in each.check(text, Direction.OUT)]
    assert all(0 <= one.start <= one.end <= len(text) for one in found)
