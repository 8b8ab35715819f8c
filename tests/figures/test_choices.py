"""What counts as taken, edited, one's own, a first-draft hit: of a real queue's cards and of a real scene's steps."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.approval import ApprovalQueue, Draft, Item, ItemId, Operator
from bot.desk.history import History
from bot.desk.steps import (
    STEP,
    Added,
    Began,
    Branched,
    Change,
    Confirmed,
    Deleted,
    Discarded,
    Edited,
    Moved,
    Rewound,
    Switched,
)
from bot.desk.story import MAIN
from bot.errors import Refused
from bot.figures.choices import Choice, Fate, card_choice
from bot.figures.scenes import scene_choices
from bot.messages import Kind, Message, MessageId, Viewer
from bot.save import Save
from bot.save.desk import SceneRow, StepRow
from bot.save.ledger import Ledger, SceneRows
from bot.scenario import Character, Line, Origin, Scenario, dump_scenario

ANNA = Operator("Anna")
SHOW = "演示/直播间"


# -- the cards of a show -----------------------------------------------------------------------------------------------


def queue_on(save: Save) -> ApprovalQueue:
    return ApprovalQueue(lambda item, decision: save.record(SHOW, item, decision))


def card(name: str, *drafts: str, asked: bool = True, created: float = 100.0) -> Item:
    message = Message(MessageId(name), Kind.DANMAKU, Viewer("test", "7", "阿强"), "在吗") if asked else None
    proposals = tuple(Draft(text, done=True) for text in drafts)
    return Item(ItemId(name), created, "小芽", lifetime=50.0, message=message, drafts=proposals)


def on_record(save: Save) -> dict[float, Choice]:
    """By the time at which they came up."""
    ledger = Ledger(save.folder / "show.db")
    found = {row.created: card_choice(row) for row in ledger.cards()}
    ledger.close()
    return found


def test_each_card_has_the_fate_that_a_person_gave_it(save: Save) -> None:
    """The first draft word for word is a hit, another one is taken, other words are edited or a person's own."""
    queue = queue_on(save)
    for number, name in enumerate(("hit", "taken", "edited", "own", "rejected", "expired", "recalled", "waiting")):
        queue.open(card(name, *(() if name == "own" else ("一", "二")), created=100.0 + number))
    for name, words in (("hit", "一"), ("taken", "二"), ("edited", "三三"), ("own", "四"), ("recalled", "一")):
        queue.approve(name, 1, words, ANNA, 110.0)
    queue.reject("rejected", 1, ANNA, 110.0)
    queue.air("recalled", 111.0, 5.0)
    queue.recall("recalled", queue["recalled"].revision, ANNA, 112.0)
    queue.air("taken", 113.0, 5.0)
    queue.finish("taken", 118.0)
    assert [item.id for item in queue.expire(155.0)] == ["expired"]
    found = list(on_record(save).values())
    assert [(one.fate, one.hit, one.waited, one.characters) for one in found] == [
        (Fate.TAKEN, True, 10.0, 1),
        (Fate.TAKEN, False, 9.0, 1),
        (Fate.EDITED, False, 8.0, 2),
        (Fate.OWN, False, 7.0, 1),
        (Fate.REJECTED, False, 6.0, 0),
        (Fate.EXPIRED, False, None, 0),
        (Fate.RECALLED, False, 4.0, 0),
        (Fate.WAITING, False, None, 0),
    ]
    assert {(one.subject, one.character) for one in found} == {(SHOW, "小芽")}


def test_a_card_that_was_taken_back_has_its_last_fate_and_its_first_wait(save: Save) -> None:
    """And the words that a person had approved before are no draft of the model's."""
    queue = queue_on(save)
    queue.open(card("a", "一"))
    queue.approve("a", 1, "改过的", ANNA, 103.0)
    queue.undo("a", 2, ANNA, 104.0)
    queue.approve("a", 3, "改过的", ANNA, 120.0)
    (found,) = on_record(save).values()
    assert (found.fate, found.waited) == (Fate.EDITED, 3.0)


def test_what_a_person_says_at_once_was_not_waited_for(save: Save) -> None:
    queue = queue_on(save)
    queue.open(card("a", asked=False))
    queue.approve("a", 1, "我们马上回来", ANNA, 100.0)
    (found,) = on_record(save).values()
    assert (found.fate, found.waited) == (Fate.OWN, None)


def test_only_cards_of_the_time_that_was_asked_for_are_read(save: Save) -> None:
    """What is at the end is left out."""
    queue = queue_on(save)
    for number in range(3):
        queue.open(card(f"{number}", "一", created=100.0 + number))
    ledger = Ledger(save.folder / "show.db")
    assert [row.created for row in ledger.cards(101.0, 102.0)] == [101.0]
    assert ledger.extent() == (100.0, 102.0)
    ledger.close()


# -- the lines of a scene ----------------------------------------------------------------------------------------------

SCENE = Scenario("演示", "小店", "", (Line("掌柜", "客官里边请。"),), (Character("掌柜"), Character("客人", "User")))
BEGAN = Began(dump_scenario(SCENE), (Line("掌柜", "客官里边请。", Origin.OPENING, "opening"),))


def line(id: str, text: str = "好", origin: Origin = Origin.MODEL) -> Line:
    return Line("掌柜", text, origin, id)


def choices(*steps: Change, asked: dict[str, float] | None = None) -> list[Choice]:
    """Every step is possible, and is read as it is on record. The first is taken at 0.0, the next at 1.0 …"""
    history = History.of(BEGAN)
    for step in steps:
        history = history.then(step)
    rows = [(float(at), json.loads(STEP.dump_json(step))) for at, step in enumerate(history.done)]
    return list(scene_choices(SceneRows("scene1", tuple(rows)), asked or {}))


def fates(*steps: Change) -> list[tuple[str, bool]]:
    return [(one.fate.value, one.hit) for one in choices(*steps)]


def test_a_draft_that_is_taken_as_it_is_counts_and_the_first_one_is_a_hit() -> None:
    lines = (line("a"), line("b"), line("c", origin=Origin.EDITED), line("d", origin=Origin.PERSON))
    assert fates(Added(lines, None, ("ask.0", "ask.1", "ask.0", "")), Confirmed()) == [
        ("taken", True), ("taken", False), ("edited", False), ("own", False),
    ]  # fmt: skip
    assert fates(Added((line("d", origin=Origin.PERSON),))) == [("own", False)]


def test_a_line_that_is_changed_later_was_edited_and_back_to_its_words_it_was_not() -> None:
    """Confirmed or not."""
    added = Added((line("a", "好啊"),), None, ("ask.0",))
    edit, back = Edited("a", "a2", "好啊好啊", "掌柜"), Edited("a2", "a3", "好啊", "掌柜")
    assert fates(added, edit) == fates(added, Confirmed(), edit) == [("edited", False)]
    assert fates(added, edit, back) == [("taken", True)]
    (changed,) = choices(added, Edited("a", "a2", "好啊好啊", "客人"))
    assert (changed.character, changed.characters) == ("客人", 4)


def test_what_is_thrown_away_was_rejected() -> None:
    """Deleted before or after it was confirmed, or discarded; a rewind throws nothing away."""
    added = Added((line("a"), line("b")), None, ("ask.0", "ask.1"))
    assert fates(added, Deleted("a")) == [("rejected", False), ("taken", False)]
    assert fates(added, Confirmed(), Deleted("a")) == [("rejected", False), ("taken", False)]
    assert fates(added, Discarded()) == [("rejected", False)] * 2
    later = Added((line("c"),), None, ("more.0",))
    assert fates(added, Confirmed(), later, Discarded())[:2] == [("taken", True), ("taken", False)]
    assert fates(added, Confirmed(), Rewound("opening", "tail", "回退前")) == [("taken", True), ("taken", False)]


def test_pending_lines_of_another_branch_are_not_discarded() -> None:
    waiting = Added((line("a"),), None, ("ask.0",))
    other = Added((line("b"),), None, ("more.0",))
    steps = (waiting, Branched("two", "另一支", "opening"), other, Discarded(), Switched(MAIN))
    assert fates(*steps) == [("taken", True), ("rejected", False)]
    assert fates(*steps, Discarded()) == [("rejected", False), ("rejected", False)]


def test_a_draft_that_goes_on_with_a_line_is_a_choice_of_its_own() -> None:
    """With the opening's lines too, which nobody chose."""
    own = Added((line("a", "从前", Origin.PERSON),))
    assert fates(own, Edited("a", "a2", "从前有座山", "掌柜", "ask.0", Origin.EDITED)) == [("edited", False)]
    taken = Added((line("a", "从前"),), None, ("ask.1",))
    assert fates(taken, Edited("a", "a2", "从前有座山", "掌柜", "more.0", Origin.MODEL)) == [("taken", True)]
    assert fates(Edited("opening", "o2", "客官请坐。", "掌柜")) == []


def test_a_line_was_waited_for_from_the_ask_to_the_taking_of_its_draft() -> None:
    """Whatever becomes of it, and whatever a person makes of it later; own words and unknown asks have no wait."""
    own = Added((line("o", origin=Origin.PERSON),))
    both = Added((line("a"), line("b"), line("c")), None, ("ask.0", "more.1", "lost.0"))
    asked = {"ask": 0.5, "more": -3.0}
    waits = [one.waited for one in choices(own, both, asked=asked)]
    assert waits == [None, 0.5, 4.0, None]
    later = (Confirmed(), Edited("a", "a2", "改过", "掌柜"), Deleted("b"))
    assert [one.waited for one in choices(own, both, *later, asked=asked)] == [None, 4.0, None, 0.5]
    (went_on,) = choices(own, Edited("o", "o2", "好啊", "掌柜", "ask.0", Origin.EDITED), asked=asked)
    assert went_on.waited == 0.5
    (back_in_time,) = choices(Added((line("a"),), None, ("ask.0",)), asked={"ask": 9.0})
    assert back_in_time.waited == 0.0


@st.composite
def taken_line(draw: st.DrawFn, id: str) -> Added:
    origin = draw(st.sampled_from([Origin.MODEL, Origin.EDITED, Origin.PERSON]))
    draft = "" if origin is Origin.PERSON else draw(st.sampled_from(["x.0", "x.1"]))
    return Added((line(id, draw(st.sampled_from(["好", "好啊"])), origin),), draw(st.none() | st.just(0)), (draft,))


@given(st.data())
def test_what_stands_in_the_story_is_what_is_counted_as_standing(data: st.DataObject) -> None:
    """On one branch, over any steps: the lines of the fold, each with the fate that its origin says."""
    history = History.of(BEGAN)
    for number in range(data.draw(st.integers(0, 12))):
        ids = [one.id for one in history.story.here.everything]
        step: Change = data.draw(
            st.one_of(
                taken_line(f"l{number}"),
                st.builds(
                    Edited,
                    st.sampled_from(ids or [""]),
                    st.just(f"e{number}"),
                    st.sampled_from(["好", "不好"]),
                    st.just("掌柜"),
                ),
                st.builds(Deleted, st.sampled_from(ids or [""])),
                st.builds(Moved, st.sampled_from(ids or [""]), st.just(0)),
                st.just(Discarded()),
                st.just(Confirmed()),
            )
        )
        try:
            history = history.then(step)
        except Refused:
            continue
        if data.draw(st.integers(0, 4)) == 0:
            history = history.undo()
    rows = [(0.0, json.loads(STEP.dump_json(step))) for step in history.done]
    counted = [
        one.fate.value for one in scene_choices(SceneRows("s", tuple(rows)), {}) if one.fate is not Fate.REJECTED
    ]
    names = {Origin.MODEL: "taken", Origin.EDITED: "edited", Origin.PERSON: "own"}
    stands = [names[one.origin] for one in history.story.here.everything if one.origin in names]
    assert sorted(counted) == sorted(stands)


def test_steps_that_were_undone_are_not_read(save: Save) -> None:
    """Nor are those of scenes that were not touched since."""

    def step(number: int, change: Any) -> StepRow:
        return StepRow(number, 10.0 + number, "Anna", STEP.dump_json(change).decode())

    save.desk.begin(SceneRow("s", "夜谈", "演示", "小店", 10.0, 10.0, 0, 1), step(0, BEGAN))
    save.desk.step("s", step(1, Added((line("a"),), None, ("x.0",))), title="夜谈", lines=1)
    save.desk.step("s", step(2, Discarded()), title="夜谈", lines=1)
    save.desk.move("s", 1, 13.0, title="夜谈", lines=1)
    ledger = Ledger(save.folder / "show.db")
    assert [one.fate for rows in ledger.scenes() for one in scene_choices(rows, {})] == [Fate.TAKEN]
    assert list(ledger.scenes(14.0)) == [] and ledger.titles() == {"s": "夜谈"}
    ledger.close()
