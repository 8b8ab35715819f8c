"""From a story to what the model reads."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.desk.feeding import Feeding, refreshed_from, scene_text
from bot.desk.lorebook import Lore
from bot.desk.steps import Began, Recast
from bot.desk.story import Cast, Note, Refresh, Story
from bot.engine.remote import RemoteEngine
from bot.engine.scene_prompt import Cue, Label
from bot.engine.scripted import ScriptedEngine
from bot.errors import Refused
from bot.scenario import Character, Line, Origin, Scenario, ScenarioError, dump_scenario

SCENARIO = Scenario(
    "海边",
    "灯塔",
    "一座灯塔。",
    (Line("小麦", "有人吗？"),),
    (Character("小麦", extra={"Note": "怕黑。"}), Character("阿岩", extra={"Note": "修船。"}), Character("我", "User")),
    {
        "Lorebook": [
            {"name": "钟", "keys": ["钟"], "text": "海底的钟"},
            {"name": "常", "constant": True, "text": "有雾"},
        ]
    },
)
SAID = (Line("我", "听，钟"), Line("阿岩", "什么"), Line("", "风大了"))


def a_story(*said: Line, pending: tuple[Line, ...] = ()) -> Story:
    lines = tuple(replace(line, id=f"id{n}") for n, line in enumerate((*SCENARIO.opening, *said)))
    story = Began(dump_scenario(SCENARIO), lines).story()
    return replace(story, branches={story.branch: replace(story.here, pending=pending)})


@pytest.fixture
def feeding() -> Feeding:
    return Feeding(ScriptedEngine())


async def test_a_story_is_told_with_all_that_belongs_to_it(feeding: Feeding) -> None:
    """Those present, active lore, the note, what is pending."""
    story = a_story(*SAID, pending=(Line("小麦", "我怕"),))
    story = replace(story, cast=Cast(("阿岩",)), note=Note("冷一点", 1))
    fed = await feeding.fed(story, Cue("阿岩", "别", "他笑了"))
    assert "".join(fed.prompt.parts) + fed.prompt.start_with == (
        "一座灯塔。\n\n小麦: 有人吗？\n\n【阿岩】修船。\n\n海底的钟\n\n有雾\n\n我: 听，钟\n\n阿岩: 什么\n\n风大了\n\n"
        "冷一点\n\n小麦: 我怕\n\n他笑了\n\n阿岩: 别"
    )


async def test_a_line_is_gone_on_with_from_what_stood_before_it(feeding: Feeding) -> None:
    """Confirmed or pending: the cue is its speaker's, the draft begins with its words, what comes after is not read."""
    story = a_story(*SAID, pending=(Line("小麦", "我怕", id="p1"), Line("我", "走吧", id="p2")))
    fed = await feeding.fed(story, Cue("小麦", "不是这个", "轻声"), continued="p2")
    assert "".join(fed.prompt.parts).endswith("小麦: 我怕\n\n轻声\n\n我:") and fed.prompt.start_with == " 走吧"
    fed = await feeding.fed(story, Cue(""), continued="id2")
    assert "".join(fed.prompt.parts).endswith("我: 听，钟\n\n阿岩:") and fed.prompt.start_with == " 什么"
    with pytest.raises(Refused):
        await feeding.fed(story, Cue(""), continued="nobody")


async def test_what_is_fed_can_be_looked_at_with_its_tokens(feeding: Feeding) -> None:
    """Parts of one kind together, in the order in which they are read; a character is a token here."""
    fed = await feeding.fed(a_story(*SAID), Cue("阿岩"))
    shown, exact = await feeding.shown(fed)
    assert exact and [(one.label, one.name) for one in shown] == [
        (Label.BACKGROUND, ""),
        (Label.OPENING, ""),
        (Label.CHARACTER, "小麦"),
        (Label.CHARACTER, "阿岩"),
        (Label.LORE, "钟"),
        (Label.LORE, "常"),
        (Label.STORY, ""),
        (Label.CUE, "阿岩"),
    ]
    assert "".join(one.text for one in shown) == "".join(fed.prompt.parts)
    assert all(one.tokens == len(one.text) for one in shown)


async def test_estimates_are_said_as_such() -> None:
    """A server elsewhere does not say how it counts; lore has its budget all the same."""
    feeding = Feeding(RemoteEngine(["http://127.0.0.1:9/v1"]))
    shown, exact = await feeding.shown(await feeding.fed(a_story(*SAID), Cue("阿岩")))
    assert not exact and sum(one.tokens for one in shown) > 20
    assert [told.entry.name for told in (await feeding.lore(a_story(*SAID))).active] == ["钟", "常"]


async def test_a_book_that_cannot_be_read_is_said(feeding: Feeding) -> None:
    """Instead of being passed over."""
    story = replace(a_story(), scenario=replace(SCENARIO, extra={"Lorebook": "钟"}))
    with pytest.raises(ScenarioError, match="Lorebook"):
        await feeding.fed(story, Cue("小麦"))


# ---- after a refresh -------------------------------------------------------------------------------------------------


def refreshed(story: Story, last: int, since: str) -> Story:
    return replace(story, refresh=Refresh("前情。", last, since))


def told(story: Story) -> list[str]:
    """The lines that are fed, and the summary before them where there is one."""
    text = scene_text(story, Lore())
    lines = text.lines[text.first :] if text.summary is not None else text.lines
    return [*([text.summary] if text.summary is not None else []), *(line.text for line in lines)]


def test_after_a_refresh_the_last_lines_are_told_and_all_that_came_since() -> None:
    """So many of those that there were then; lines that are told later are added."""
    story = refreshed(a_story(*SAID), 1, "id2")
    assert told(story) == ["前情。", "什么", "风大了"]
    assert told(refreshed(story, 99, "id2")) == ["前情。", "有人吗？", "听，钟", "什么", "风大了"]
    assert told(refreshed(story, 0, "id3")) == ["前情。"]
    assert told(refreshed(story, 0, "")) == ["前情。", "有人吗？", "听，钟", "什么", "风大了"]


def test_an_edit_of_the_line_leaves_the_refresh_where_it_was() -> None:
    """Its new version has another id; the older one is known."""
    story = a_story(*SAID)
    lines = (*story.lines[:2], Line("阿岩", "什么？！", Origin.EDITED, "id9"), story.lines[3])
    story = replace(story, branches={story.branch: replace(story.here, lines=lines)}, older={"id9": (story.lines[2],)})
    assert told(refreshed(story, 1, "id2")) == ["前情。", "什么？！", "风大了"]


def test_a_refresh_holds_only_where_the_story_has_come_to_it() -> None:
    """After a rewind before it the summary would tell what has not happened: everything is told again."""
    story = refreshed(a_story(SAID[0]), 1, "id3")
    assert refreshed_from(story) is None and told(story) == ["有人吗？", "听，钟"]


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ({"text": "冷一点", "depth": 2}, Note("冷一点", 2)),
        ({"text": "冷一点", "depth": -1}, Note("冷一点")),
        ({"text": "冷一点"}, Note("冷一点")),
        ("冷一点", Note()),
    ],
)
def test_a_scene_begins_with_the_note_of_its_scenario(said: object, note: Note) -> None:
    """And goes over to a new one when the scenario is edited, unless the writer has set another at the desk."""
    scenario = replace(SCENARIO, extra={"AuthorsNote": said})
    story = Began(dump_scenario(scenario), ()).story()
    assert story.note == note
    edited = Recast(dump_scenario(replace(scenario, extra={"AuthorsNote": {"text": "快"}})))
    assert edited.on(story).note == Note("快")
    own = replace(story, note=Note("我的", 1))
    assert edited.on(own).note == Note("我的", 1)
