"""Scenes of the desk, put on record as the desk records them."""

from __future__ import annotations

from collections.abc import Iterable

from bot.desk.steps import STEP, Began, Change
from bot.save import Save
from bot.save.desk import SceneRow, StepRow
from bot.scenario import Character, Line, Origin, Scenario, dump_scenario

ISLAND = Scenario("雾岛", "初见", "雾岛上只有一座灯塔。", (), (Character("小铃"), Character("我", "User")))
STORY = (
    Line("小铃", "你醒了？先别动，喝口热水。", Origin.OPENING, "o1"),
    Line("我", "这是哪儿？", Origin.OPENING, "o2"),
    Line("", "窗外的雾散开了一条缝。\n海是灰的。", Origin.PERSON, "n1"),
    Line("小铃", "数台阶。一百零八级，一级也没少。", Origin.EDITED, "m1"),
    Line("渔夫", "“船来了！”他喊。", Origin.MODEL, "m2"),
    Line("我", "<b>雾</b> 又起来了。", Origin.PERSON, "p1"),
)


def record(
    save: Save, id: str, lines: Iterable[Line] = STORY, *changes: Change, title: str = "灯塔", changed: float = 1000.0
) -> str:
    """A scene that begins with these lines and goes on with these changes, all in effect. Returns its id."""
    lines = tuple(lines)
    began = Began(dump_scenario(ISLAND), lines, title)
    row = SceneRow(id, title, ISLAND.series, ISLAND.name, changed, changed, 0, len(lines))
    save.desk.begin(row, StepRow(0, changed, "op", STEP.dump_json(began).decode()))
    for number, change in enumerate(changes, start=1):
        body = STEP.dump_json(change).decode()
        save.desk.step(id, StepRow(number, changed, "op", body), title=title, lines=len(lines))
    return id
