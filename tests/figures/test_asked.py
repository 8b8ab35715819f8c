"""Questions of an address, and their answers from a real record."""

from __future__ import annotations

import json
import tempfile
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.approval import ApprovalQueue, Draft, Item, ItemId
from bot.desk.steps import STEP, Added, Began
from bot.errors import UserError
from bot.figures.asked import Asked
from bot.figures.pairs import jsonl
from bot.messages import Kind, Message, MessageId, Viewer
from bot.save import Place, Save
from bot.save.desk import Kept, SceneRow, StepRow
from bot.scenario import Line, Origin, Scenario, dump_scenario
from tests.figures.season import ANNA, broadcasts
from tests.figures.test_tally import nearest_rank

NOON, DAY = datetime(2026, 11, 23, 12).timestamp(), 86400.0


def scene(save: Save, at: float) -> None:
    began = Began(dump_scenario(Scenario("演示", "小店")), ())
    first = StepRow(0, at, "Anna", STEP.dump_json(began).decode())
    save.desk.begin(SceneRow("s", "夜谈", "演示", "小店", at, at, 0, 0), first)
    for number in (1, 2):
        added = Added((Line("掌柜", "好", Origin.MODEL, f"l{number}"),), None, ("ask.0",))
        step = StepRow(number, at + number * DAY, "Anna", STEP.dump_json(added).decode())
        save.desk.step("s", step, title="夜谈", lines=0)


def test_show_and_desk_together_and_apart(save: Save) -> None:
    """Each part of the whole; a scene goes by its title."""
    broadcasts(save, 4, NOON)
    scene(save, NOON)
    ledger = save.ledger()
    both, show, desk = (Asked(place=place).figures(ledger) for place in (None, Place.SHOW, Place.DESK))
    assert both["totals"]["decided"] == show["totals"]["decided"] + desk["totals"]["decided"]
    assert (desk["totals"]["taken"], desk["totals"]["hits"], desk["totals"]["generations"]) == (2, 2, 0)
    assert [(one["place"], one["title"]) for one in desk["subjects"]] == [("desk", "夜谈")]
    assert show["totals"]["generations"] > 0
    ledger.close()


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400)), max_size=30), st.integers(0, 30))
@settings(max_examples=25, deadline=None)
def test_time_to_decide_at_the_desk_runs_from_the_ask_to_the_taking(
    takings: list[tuple[int, int]], undone: int
) -> None:
    """Beside a plain count over what was done; a taking that was undone never was. Ask 3 left no draft on record."""
    with tempfile.TemporaryDirectory() as folder:
        save = Save(Path(folder))
        began = Began(dump_scenario(Scenario("演示", "小店")), ())
        first = StepRow(0, NOON, "Anna", STEP.dump_json(began).decode())
        save.desk.begin(SceneRow("s", "夜谈", "演示", "小店", NOON, NOON, 0, 0), first)
        for ask in range(3):
            save.desk.keep_proposal("s", Kept(f"ask{ask}", NOON + 100 * ask, '{"drafts": []}', "l0"))
        for number, (ask, at) in enumerate(takings, 1):
            added = Added((Line("掌柜", "好", Origin.MODEL, f"l{number}"),), None, (f"ask{ask}.1",))
            step = StepRow(number, NOON + at, "Anna", STEP.dump_json(added).decode())
            save.desk.step("s", step, title="夜谈", lines=0)
        done = takings[: max(0, len(takings) - undone)]
        save.desk.move("s", len(done), NOON + 500, title="夜谈", lines=0)
        waits = [float(max(0, at - 100 * ask)) for ask, at in done if ask < 3]
        ledger = save.ledger()
        found = Asked(place=Place.DESK).figures(ledger)["totals"]
        ledger.close()
        save.close()
    assert found["decided"] == len(done)
    assert (found["decide_p50"], found["decide_p95"]) == (nearest_rank(waits, 50), nearest_rank(waits, 95))


def test_a_range_has_its_days_and_no_others(save: Save) -> None:
    """A line of a scene counts on the day on which it was taken, wherever the scene began."""
    scene(save, NOON)
    broadcasts(save, 9, NOON)
    ledger = save.ledger()
    asked = Asked.of("2026-11-24", "2026-11-24", "")
    assert asked.figures(ledger)["totals"]["decided"] == 1
    parts = [
        Asked.of(f"2026-11-{day}", f"2026-11-{day}", "").figures(ledger)["totals"]["decided"] for day in range(15, 26)
    ]
    assert sum(parts) == Asked().figures(ledger)["totals"]["decided"]
    assert asked.table(ledger).count("\r\n") == 2
    ledger.close()


def test_preferences_are_what_was_chosen_and_what_was_left(save: Save) -> None:
    """Of drafts that were seen together. What was rejected, recalled or written by a person prefers nothing."""
    queue = ApprovalQueue(lambda item, decision: save.record("演示/直播间", item, decision))
    message = Message(MessageId("m"), Kind.DANMAKU, Viewer("test", "7", "阿强"), "吃了吗")
    drafts = (Draft("一", done=True), Draft("二", done=True), Draft("二", done=True))
    for number, name in enumerate(("first", "edited", "own", "rejected", "alone")):
        proposed = {"own": (), "alone": drafts[:1]}.get(name, drafts)
        queue.open(Item(ItemId(name), NOON + number, "小芽", message=message, drafts=proposed))
    for name, words in (("first", "一"), ("edited", "三"), ("own", "四"), ("alone", "一")):
        queue.approve(name, 1, words, ANNA, NOON + 9)
    queue.reject("rejected", 1, ANNA, NOON + 9)
    scene(save, NOON)
    asked = '{"drafts": [{"text": "好", "done": true}, {"text": "不好", "done": true}, {"text": "", "done": false}]}'
    save.desk.keep_proposal("s", Kept("ask", NOON, asked, "l0"))
    ledger = save.ledger()
    found = [json.loads(line) for line in jsonl(Asked().pairs(ledger))]
    assert [(one["place"], one["asked"], one["chosen"], one["edited"], one["rejected"]) for one in found] == [
        ("show", "吃了吗", "一", False, ["二"]),
        ("show", "吃了吗", "三", True, ["一", "二"]),
        ("desk", None, "好", False, ["不好"]),
        ("desk", None, "好", False, ["不好"]),
    ]
    assert "阿强" not in json.dumps(found, ensure_ascii=False)
    assert len(list(Asked(place=Place.DESK).pairs(ledger))) == 2
    ledger.close()


def test_nothing_yet_is_an_answer(save: Save) -> None:
    ledger = save.ledger()
    found = Asked().figures(ledger)
    assert (found["buckets"], found["totals"]["generations"], found["from"], found["place"]) == ([], 0, None, None)
    ledger.close()


@pytest.mark.parametrize(
    ("first", "last", "place", "said"),
    [
        ("gestern", "", "", "from：应为日期"),
        ("", "2026-02-30", "", "to：应为日期"),
        ("", "9999-12-31", "", "to：应为日期"),
        ("2026-11-24", "2026-11-23", "", "对调"),
        ("", "", "sofa", "show 或 desk"),
    ],
)
def test_a_wrong_question_says_what_to_write(first: str, last: str, place: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        Asked.of(first, last, place)
