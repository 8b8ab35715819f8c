"""Scenes on record: what is written is read back, by whoever opens the folder next."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path

import pytest

from bot.save import Save, SaveError
from bot.save.desk import Kept, SceneRow, StepRow

SCENE = SceneRow("s1", "雨夜", "旧城", "雨夜", created=10.0, changed=10.0, position=0, lines=2)


def step(number: int, body: str = "{}") -> StepRow:
    return StepRow(number, 10.0 + number, "阿青", body)


def test_a_scene_is_read_back_after_a_restart(tmp_path: Path) -> None:
    """With its steps in order and how many of them are in effect."""
    with contextlib.closing(Save(tmp_path)) as save:
        save.desk.begin(SCENE, step(0, '{"kind":"began"}'))
        save.desk.step("s1", step(1, "一"), title="雨夜", lines=2)
        save.desk.step("s1", step(2, "二"), title="改名", lines=3)
        save.desk.move("s1", 1, 20.0, title="雨夜", lines=2)
    with contextlib.closing(Save(tmp_path)) as save:
        assert save.desk.scenes() == [replace(SCENE, changed=20.0, position=1)]
        assert [one.body for one in save.desk.steps("s1")] == ['{"kind":"began"}', "一", "二"]


def test_a_new_step_drops_what_was_undone(save: Save) -> None:
    """Its number says where it stands."""
    save.desk.begin(SCENE, step(0))
    for number in (1, 2, 3):
        save.desk.step("s1", step(number, str(number)), title="雨夜", lines=2)
    save.desk.step("s1", step(2, "新"), title="雨夜", lines=5)
    assert [(one.number, one.body) for one in save.desk.steps("s1")] == [(0, "{}"), (1, "1"), (2, "新")]
    scene = save.desk.scene("s1")
    assert scene is not None and (scene.position, scene.lines, scene.changed) == (2, 5, 12.0)


def test_scenes_are_listed_newest_first_and_kept_in_the_bin(save: Save) -> None:
    """The bin is a date; taking a scene out of it is the same call."""
    save.desk.begin(SCENE, step(0))
    save.desk.begin(replace(SCENE, id="s2", changed=30.0), step(0))
    save.desk.bin("s1", 40.0)
    assert [(row.id, row.binned) for row in save.desk.scenes()] == [("s2", None), ("s1", 40.0)]
    save.desk.bin("s1", None)
    assert all(row.binned is None for row in save.desk.scenes())
    assert save.desk.scene("s9") is None


def test_a_removed_scene_leaves_nothing(save: Save) -> None:
    """Another scene keeps everything."""
    for id in ("s1", "s2"):
        save.desk.begin(replace(SCENE, id=id), step(0))
        save.desk.keep_proposal(id, Kept("ask", 1.0, "[]", after="a"))
        save.desk.keep_scratch(id, Kept("tab", 1.0, "{}"))
    save.desk.remove("s1")
    assert [row.id for row in save.desk.scenes()] == ["s2"]
    assert (save.desk.steps("s1"), save.desk.proposals("s1", "a"), save.desk.scratches("s1")) == ([], [], [])
    assert save.desk.steps("s2") and save.desk.proposals("s2", "a") and save.desk.scratches("s2")


def test_proposals_belong_to_a_place(save: Save) -> None:
    """The same ask written again is the newer one."""
    save.desk.keep_proposal("s1", Kept("x", 1.0, "旧", after="a"))
    save.desk.keep_proposal("s1", Kept("y", 2.0, "二", after="a"))
    save.desk.keep_proposal("s1", Kept("z", 3.0, "三", after="b"))
    save.desk.keep_proposal("s1", Kept("x", 1.0, "新", after="a"))
    assert [kept.body for kept in save.desk.proposals("s1", "a")] == ["新", "二"]


def test_each_tab_has_its_own_scratch(save: Save) -> None:
    """The newest comes first; a tab that is done takes its own away."""
    save.desk.keep_scratch("s1", Kept("t1", 1.0, "一"))
    save.desk.keep_scratch("s1", Kept("t2", 2.0, "二"))
    save.desk.keep_scratch("s1", Kept("t1", 3.0, "三"))
    assert [(kept.id, kept.body) for kept in save.desk.scratches("s1")] == [("t1", "三"), ("t2", "二")]
    save.desk.drop_scratch("s1", "t1")
    assert [kept.id for kept in save.desk.scratches("s1")] == ["t2"]


def test_a_disk_that_refuses_changes_nothing(save: Save) -> None:
    """Neither the step nor the scene's row."""
    save.desk.begin(SCENE, step(0))
    save._db.execute("PRAGMA query_only = ON")
    with pytest.raises(SaveError):
        save.desk.step("s1", step(1), title="新", lines=9)
    save._db.execute("PRAGMA query_only = OFF")
    assert save.desk.scenes() == [SCENE] and len(save.desk.steps("s1")) == 1
