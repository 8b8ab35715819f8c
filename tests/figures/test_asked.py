"""Questions of an address, and their answers from a real record."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from bot.desk.steps import STEP, Added, Began
from bot.errors import UserError
from bot.figures.asked import Asked
from bot.save import Place, Save
from bot.save.desk import SceneRow, StepRow
from bot.scenario import Line, Origin, Scenario, dump_scenario
from tests.figures.season import broadcasts

NOON, DAY = datetime(2026, 11, 23, 12).timestamp(), 86400.0


@pytest.fixture
def save(tmp_path: Path) -> Iterator[Save]:
    save = Save(tmp_path)
    yield save
    save.close()


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
        ("2026-11-24", "2026-11-23", "", "对调"),
        ("", "", "sofa", "show 或 desk"),
    ],
)
def test_a_wrong_question_says_what_to_write(first: str, last: str, place: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        Asked.of(first, last, place)
