"""A chapter before any format: what is read, in which order, under which heading."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given

from bot.chapter import Chapter, Choices, Heading
from bot.chapter.chapter import colon, language, words
from bot.scenario import Character, Line, Log, Origin, Scenario, canonical_text
from tests.chapter.stories import any_choices, chapters, island, marked_text


def said(*texts: str) -> Chapter:
    return Chapter("题", Log(Scenario("系列", "名"), tuple(Line("甲", text) for text in texts)))


def test_notices_and_empty_lines_are_left_out() -> None:
    """The program's own words are no part of a story."""
    read = [(p.name, p.words) for p in island().paragraphs()]
    assert read[0] == ("灯塔守", "你醒了？先别动，喝口热水。")
    assert "已载入角色卡" not in [text for _, text in read]
    assert len(read) == 6


def test_the_narrator_of_old_logs_has_no_name() -> None:
    """They write 旁白 where we write nothing."""
    assert [p.words for p in island().paragraphs() if not p.name] == [
        "窗外的雾散开了一条缝。\n海是灰的。",
        "钟响了三下。",
    ]


def test_headings_stand_before_their_line() -> None:
    """What comes before the first one has no title."""
    read = [(section.title, len(section.paragraphs)) for section in island().sections(Choices())]
    assert read == [("", 2), ("第一夜：灯塔", 2), ("第二夜", 2)]
    assert [s.title for s in island().sections(Choices(headings=False))] == [""]


def test_a_heading_with_nothing_under_it_is_left_out() -> None:
    """At the end of the story, twice at one place, or over an opening that is not wanted."""
    story = replace(island(), headings=(Heading(2, "开头"), Heading(3, "甲"), Heading(3, "乙"), Heading(8, "完")))
    assert [s.title for s in story.sections(Choices())] == ["", "开头", "乙"]
    assert [s.title for s in story.sections(Choices(opening=False))] == ["乙"]


def test_the_opening_can_be_left_out() -> None:
    """The scenario's words, not the writer's."""
    assert island().paragraphs(opening=False)[0].line.id == "n1"


def test_a_story_that_does_not_repeat_its_opening_gets_the_scenarios() -> None:
    """What was aired has only what came after it."""
    scene = Scenario("系列", "名", "", (Line("甲", "开场。", Origin.OPENING),), (Character("甲"),))
    aired = Chapter("题", Log(scene, (Line("甲", "后来。"),)), (Heading(0, "一"),))
    assert [p.words for p in aired.paragraphs()] == ["开场。", "后来。"]
    assert [p.words for p in aired.paragraphs(opening=False)] == ["后来。"]
    assert [s.title for s in aired.sections(Choices())] == ["一"]


def test_people_are_those_of_the_scenario_and_those_who_speak() -> None:
    """A passer-by has no side; a file that is no picture is none."""
    story = replace(island(), pictures={**island().pictures, "我": b"<svg>"})
    assert [(p.name, p.side, bool(p.picture)) for p in story.people] == [
        ("灯塔守", "AI", True),
        ("我", "User", False),
        ("渔夫", None, False),
    ]


def test_dialogue_that_brings_its_marks_keeps_them() -> None:
    """Nothing is quoted twice, and narration is never quoted."""
    told, *rest = [p.quoted("“”") for p in island().paragraphs() if p.line.id]
    assert told == "“这是哪儿？现在几点：12:30？”"
    assert rest[0] == "窗外的雾散开了一条缝。\n海是灰的。"
    assert rest[-1] == "“船来了！”他喊。"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("晚上好", "zh"), ("こんばんは、灯台守さん。", "ja"), ("안녕하세요", "ko"), ("Good evening", "en"), ("", "zh")],
)
def test_the_language_is_that_of_most_letters(text: str, wanted: str) -> None:
    """Books must say which one they are in."""
    assert language(said(text)) == wanted
    assert colon(said(text)) == ("：" if wanted in ("zh", "ja") else ": ")


@given(chapters(), any_choices)
def test_every_line_of_the_story_is_read_once_and_in_order(story: Chapter, choices: Choices) -> None:
    """Whatever headings there are, sections together are the paragraphs."""
    together = [p for section in story.sections(choices) for p in section.paragraphs]
    assert together == list(story.paragraphs(choices.opening))
    kept = [line for line in story.log.lines if line.told and words(line.text)]
    assert [p.line for p in story.paragraphs(opening=False)] == kept


@given(marked_text)
def test_words_are_the_canonical_ones_that_xml_can_hold(text: str) -> None:
    """Two characters are replaced; nothing else is."""
    legal = re.compile("[\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
    assert legal.fullmatch(words(text))
    assert words(text) == canonical_text(text).replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd")


@given(chapters())
def test_titles_and_names_are_one_line_and_turn_nothing_around(story: Chapter) -> None:
    """A name with an override in it would mirror the words beside it."""
    sections = story.sections(Choices())
    for text in (story.title, story.series, *(s.title for s in sections), *(p.name for p in story.paragraphs())):
        assert text == " ".join(text.split())
        assert not re.search("[\u202a-\u202e\u2066-\u2069]", text)
    assert story.title
