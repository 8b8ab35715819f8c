"""Steps: what each does to a story, what it refuses, and how scenes are read back from their record."""

from __future__ import annotations

import pytest

from bot.desk.history import History, fold
from bot.desk.steps import (
    CHANGES,
    STEP,
    Added,
    Began,
    Branched,
    CastChanged,
    Change,
    Checkpointed,
    Confirmed,
    Deleted,
    Discarded,
    DroppedCheckpoint,
    Edited,
    Moved,
    Noted,
    Pruned,
    Recast,
    Refreshed,
    RenamedBranch,
    RenamedCheckpoint,
    Rewound,
    Switched,
    Titled,
    Unrefreshed,
)
from bot.desk.story import MAIN, Checkpoint, Story, Turns, new_line
from bot.desk.tree import compare, home, lanes
from bot.errors import Refused
from bot.scenario import Character, Line, Origin, Scenario, dump_scenario

SCENARIO = Scenario("旧城", "雨夜", "雨下了一夜。", (), (Character("阿岚"), Character("老周"), Character("我", "User")))
OPENING = (Line("阿岚", "你来晚了。", Origin.OPENING, "o1"), Line("", "雨声更大了。", Origin.OPENING, "o2"))


def said(id: str, text: str = "", character: str = "阿岚", origin: Origin = Origin.PERSON) -> Line:
    return new_line(character, text or f"第 {id} 句。", origin, id)


def scene(*changes: Change) -> Story:
    return fold(Began(dump_scenario(SCENARIO), OPENING, "雨夜"), changes)


def ids(lines: tuple[Line, ...]) -> list[str]:
    return [line.id for line in lines]


def confirmed(*names: str) -> tuple[Change, ...]:
    return (Added(tuple(said(name) for name in names)), Confirmed())


def refused(story: Story, change: Change) -> str:
    with pytest.raises(Refused) as caught:
        change.on(story)
    return caught.value.code


def test_a_scene_begins_with_its_opening() -> None:
    """The opening is story already; nothing is pending."""
    story = scene()
    assert story.lines == OPENING and story.pending == () and story.place == "o2"
    assert story.scenario == SCENARIO and story.title == "雨夜" and story.present == ("阿岚", "老周", "我")


def test_lines_wait_until_they_are_confirmed() -> None:
    """Added ones are pending, in their places; confirmed together they are story."""
    story = scene(Added((said("a"), said("c"))), Added((said("b"),), at=1))
    assert ids(story.pending) == ["a", "b", "c"] and story.lines == OPENING and story.place == "c"
    story = Confirmed().on(story)
    assert ids(story.lines) == ["o1", "o2", "a", "b", "c"] and story.pending == ()
    assert refused(story, Confirmed()) == "nothing_pending"
    assert refused(story, Discarded()) == "nothing_pending"


def test_pending_lines_are_moved_deleted_and_discarded() -> None:
    """Only pending ones move; any line of the branch can be deleted."""
    story = scene(Added((said("a"), said("b"), said("c"))), Moved("c", 0), Deleted("a"))
    assert ids(story.pending) == ["c", "b"]
    assert Discarded().on(story).pending == ()
    assert refused(story, Moved("o1", 1)) == "confirmed"
    assert refused(story, Deleted("a")) == "not_found"
    assert ids(Deleted("o1").on(story).lines) == ["o2"]


@pytest.mark.parametrize(
    ("origin", "expected"),
    [(Origin.MODEL, Origin.EDITED), (Origin.EDITED, Origin.EDITED), (Origin.PERSON, Origin.PERSON)],
)
def test_an_edited_line_says_whose_words_it_has(origin: Origin, expected: Origin) -> None:
    """A model's line that a person has changed is an edited one; back at the model's words it is the model's again."""
    story = scene(Added((said("a", "原话。", origin=origin),)), Edited("a", "b", "改过。", "阿岚"))
    assert story.pending == (Line("阿岚", "改过。", expected, "b"),)
    assert [line.text for line in story.older["b"]] == ["原话。"]
    back = Edited("b", "c", " 原话。 ", "阿岚").on(story)
    assert back.pending == (Line("阿岚", "原话。", origin, "c"),)
    assert [line.text for line in back.older["c"]] == ["原话。", "改过。"]


def test_a_confirmed_line_is_edited_in_its_place() -> None:
    """What comes after it stays; another branch keeps the old words."""
    story = scene(
        *confirmed("a", "b"), Branched("side", "支线", "b"), Switched(MAIN), Edited("a", "a2", "新的。", "老周")
    )
    assert ids(story.lines) == ["o1", "o2", "a2", "b"] and story.find("a2").character == "老周"
    assert ids(story.branches["side"].lines) == ["o1", "o2", "a", "b"]
    assert refused(story, Edited("a2", "a3", "新的。", "老周")) == "same"
    assert refused(story, Edited("a2", "a3", " \n ", "老周")) == "empty"
    assert refused(story, Edited("a", "a3", "旧的。", "老周")) == "not_found"


def test_a_rewind_keeps_what_it_takes_back() -> None:
    """The tail and what was pending become a branch of their own."""
    story = scene(*confirmed("a", "b"), Added((said("p"),)), Rewound("a", "tail", "回退前"))
    assert ids(story.lines) == ["o1", "o2", "a"] and story.pending == ()
    tail = story.branches["tail"]
    assert (ids(tail.lines), ids(tail.pending), tail.parent) == (["o1", "o2", "a", "b"], ["p"], MAIN)


def test_a_rewind_makes_no_branch_where_nothing_would_be_lost() -> None:
    """A checkpoint or a branch that has all of it is enough."""
    point = scene(*confirmed("a", "b"), Checkpointed("c1", "结尾", "b"), Rewound("o2", "tail", "回退前"))
    assert list(point.branches) == [MAIN] and ids(point.lines) == ["o1", "o2"]
    back = Rewound("", "tail2", "回退前", checkpoint="c1").on(point)
    assert ids(back.lines) == ["o1", "o2", "a", "b"]
    assert refused(back, Rewound("b", "x", "回退前")) == "same"
    assert refused(back, Rewound("nowhere", "x", "回退前")) == "not_found"


def test_a_story_can_go_back_before_its_first_line() -> None:
    """The very beginning has no line to name: it is ""."""
    story = scene(*confirmed("a"), Rewound("", "tail", "回退前"))
    assert story.lines == () and story.place == ""
    assert ids(story.branches["tail"].lines) == ["o1", "o2", "a"]


def test_checkpoints_are_renamed_dropped_and_outlive_edits() -> None:
    """A checkpoint is the story as it was."""
    story = scene(*confirmed("a"), Checkpointed("c1", " 相 遇 ", "a"), Edited("a", "a2", "改了。", "阿岚"))
    assert ids(story.find_checkpoint("c1").lines) == ["o1", "o2", "a"] and story.checkpoints[0].name == "相 遇"
    assert RenamedCheckpoint("c1", "重逢").on(story).checkpoints[0].name == "重逢"
    assert DroppedCheckpoint("c1").on(story).checkpoints == ()
    assert refused(story, Checkpointed("c2", " ", "a2")) == "no_name"
    assert refused(story, Rewound("", "x", "回退前", checkpoint="c9")) == "not_found"


def test_branches_begin_together_and_go_their_own_ways() -> None:
    """A branch has the lines to its fork; pending lines stay where they were written."""
    story = scene(*confirmed("a", "b"), Added((said("p"),)), Branched("side", "支线", "a"), *confirmed("c"))
    assert story.branch == "side" and ids(story.lines) == ["o1", "o2", "a", "c"]
    main = Switched(MAIN).on(story)
    assert ids(main.lines) == ["o1", "o2", "a", "b"] and ids(main.pending) == ["p"]
    assert refused(main, Switched(MAIN)) == "same" and refused(main, Switched("nowhere")) == "not_found"
    assert RenamedBranch("side", "另一条路").on(main).branches["side"].name == "另一条路"
    assert list(Pruned("side").on(main).branches) == [MAIN]
    assert refused(main, Pruned(MAIN)) == "in_use"


def test_a_branch_can_begin_on_another_branch() -> None:
    """The line is looked for where the story is, and then elsewhere; the parent is who has it."""
    story = scene(*confirmed("a"), Branched("side", "支线", "o2"), *confirmed("s"), Switched(MAIN))
    leaf = Branched("leaf", "枝", "s").on(story)
    assert leaf.branches["leaf"].parent == "side" and ids(leaf.lines) == ["o1", "o2", "s"]
    assert Branched("x", "枝", "o1").on(story).branches["x"].parent == MAIN


def test_children_of_a_pruned_branch_hang_on_its_parent() -> None:
    """They stay in the tree, with their lines."""
    story = scene(*confirmed("a"), Branched("one", "一", "a"), *confirmed("b"), Branched("two", "二", "b"))
    pruned = Pruned("one").on(story)
    assert pruned.branches["two"].parent == MAIN
    assert [(lane.branch.id, lane.shared, lane.fork) for lane in lanes(pruned)] == [(MAIN, 0, ""), ("two", 3, "a")]


def test_the_tree_says_where_branches_part() -> None:
    """Children follow their parents; the fork is the last common line."""
    story = scene(
        *confirmed("a", "b"), Branched("one", "一", "a"), *confirmed("c"), Branched("deep", "深", "c"), Switched(MAIN),
        Branched("zwei", "二", ""),
    )  # fmt: skip
    assert [(lane.branch.id, lane.shared, lane.fork) for lane in lanes(story)] == [
        (MAIN, 0, ""),
        ("one", 3, "a"),
        ("deep", 4, "c"),
        ("zwei", 0, ""),
    ]
    difference = compare(story, MAIN, "deep")
    assert (difference.common, ids(difference.a), ids(difference.b)) == (3, ["b"], ["c"])


def test_a_checkpoint_stands_where_its_line_does() -> None:
    """On the branch nearest to the beginning; after a rewind on the tail's; on none when that was pruned."""
    story = scene(*confirmed("a", "b"), Checkpointed("k", "停", "b"), Branched("one", "一", "b"), Switched(MAIN))
    [point] = story.checkpoints
    assert home(lanes(story), point) == MAIN
    rewound = Rewound("a", "tail", "回退前").on(story)
    assert home(lanes(rewound), point) == "one"
    assert home(lanes(Pruned("one").on(rewound)), point) == ""
    assert home(lanes(story), Checkpoint("0", "开头", MAIN, ())) == MAIN


def test_cast_note_refresh_and_title() -> None:
    """Each is a step of its own; a name counts once."""
    story = scene(
        CastChanged(("老周", "路人", "老周"), Turns.TURN), Noted("快下雨了", 2), Refreshed("前情", 4), Titled("新名")
    )
    assert story.present == ("老周", "路人") and story.cast.turns is Turns.TURN
    assert (story.note.text, story.note.depth, story.title) == ("快下雨了", 2, "新名")
    assert story.refresh is not None and (story.refresh.summary, story.refresh.last, story.refresh.since) == (
        "前情",
        4,
        "o2",
    )
    plain = Unrefreshed().on(story)
    assert plain.refresh is None and refused(plain, Unrefreshed()) == "same"
    assert refused(plain, Titled("  ")) == "no_name"


def test_a_scene_stands_alone_until_it_is_recast() -> None:
    """The scenario in it is a copy; a newer one is taken over on purpose, and can be undone."""
    newer = Scenario("旧城", "雨夜", "天晴了。", (), (Character("阿岚"), Character("小满")))
    history = History.of(Began(dump_scenario(SCENARIO), OPENING), (CastChanged(("阿岚", "老周"), Turns.HAND),))
    after = history.then(Recast(dump_scenario(newer)))
    assert after.story.scenario == newer and after.story.cast.present == ("阿岚",) and after.story.lines == OPENING
    assert after.undo().story == history.story


def test_undo_and_redo_walk_the_same_way() -> None:
    """A new step after an undo drops what was undone."""
    start = History.of(Began(dump_scenario(SCENARIO), OPENING))
    history = start.then(Added((said("a"),))).then(Confirmed()).then(Titled("二"))
    assert history.undo().redo() == history
    back = history.undo().undo()
    assert ids(back.story.pending) == ["a"] and back.position == 1
    other = back.then(Discarded())
    assert other.undone == () and ids(other.story.lines) == ["o1", "o2"]
    for empty, way in ((start, History.undo), (history, History.redo)):
        with pytest.raises(Refused):
            way(empty)


def test_a_scene_is_read_back_with_what_was_undone() -> None:
    """The steps on record and how many are in effect are enough."""
    history = History.of(Began(dump_scenario(SCENARIO), OPENING)).then(Added((said("a"),))).then(Confirmed()).undo()
    steps = (*history.done, *reversed(history.undone))
    assert History.of(history.began, steps, history.position) == history


def test_every_step_survives_json() -> None:
    """Nothing of a step is lost on the way to the disk and back, whatever is in its words."""
    words = '冒号: 在"里面\n\n🙂'
    examples: list[Began | Change] = [
        Began(dump_scenario(SCENARIO), OPENING, words), Recast(dump_scenario(SCENARIO)), Added(OPENING, 1, ("x.0", "")),
        Edited("a", "b", words, "我"), Moved("a", 2), Deleted("a"), Discarded(), Confirmed(), Checkpointed("c", words, ""),
        RenamedCheckpoint("c", words), DroppedCheckpoint("c"), Rewound("a", "b", words, "c"), Branched("b", words, "a"),
        Switched("b"), RenamedBranch("b", words), Pruned("b"), CastChanged(("a",), Turns.MENTION), Noted(words, 3),
        Refreshed(words, 9), Unrefreshed(), Titled(words),
    ]  # fmt: skip
    assert {type(step) for step in examples} == {Began, *CHANGES}
    for step in examples:
        assert STEP.validate_json(STEP.dump_json(step)) == step
