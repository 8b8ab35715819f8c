"""The store: what it keeps over a restart, who may own it, and what it says when the disk refuses."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bot.approval import ApprovalQueue, Draft, Flag, Item, ItemId, Operator, Quote, State
from bot.messages import Kind, Message, MessageId, Role, Viewer
from bot.save import MIGRATIONS, Save, SaveError

ANNA = Operator("Anna")
SCENE = "演示/直播间"
MESSAGE = Message(
    MessageId("ws:1"), Kind.SUPER_CHAT, Viewer("ws", "7", "阿强", frozenset({Role.GUARD})), "晚上好", 30.0, 12.5
)


def full_item(name: str, created: float = 1.0) -> Item:
    return Item(
        ItemId(name), created, "小芽", lifetime=60.0, message=MESSAGE, merged=(MESSAGE,), quote=Quote("阿强", "晚上好"),
        wait_class="super_chat", reasons=("paid",), findings=(Flag(0, 1, "words", "flag", "提醒"),),
        drafts=(Draft("晚上好呀", True, (Flag(0, 2, "shape", "flag", "提醒"),)),),
    )  # fmt: skip


def queue_on(save: Save, *items: Item) -> ApprovalQueue:
    queue = ApprovalQueue(lambda item, decision: save.record(SCENE, item, decision))
    for item in items:
        queue.open(item)
    return queue


def test_an_item_comes_back_as_it_was(save: Save) -> None:
    """Every field, message and flags included."""
    queue = queue_on(save, full_item("a"))
    assert save.open_items(SCENE) == [queue["a"]]
    queue.approve("a", 1, "晚上好！", ANNA, 2.0, [Flag(0, 1, "x", "flag", "y")])
    assert save.open_items(SCENE) == [queue["a"]]
    assert save.open_items("另一个/剧本") == []


def test_what_was_published_is_in_the_order_in_which_it_was_aired(save: Save) -> None:
    """Not in the order of creation; a recalled one is gone."""
    queue = queue_on(save, full_item("a"), full_item("b", 2.0), full_item("c", 3.0))
    for name in ("c", "a", "b"):
        queue.approve(name, 1, "好", ANNA, 4.0)
        queue.air(name, 5.0, 1.0)
    queue.recall("a", queue["a"].revision, ANNA, 6.0)
    queue.finish("c", 6.0)
    assert [item.id for item in save.published_items(SCENE)] == ["c", "b"]
    assert [item.state for item in save.closed_items(SCENE, 10)] == [State.RECALLED, State.DONE]


def test_every_decision_is_on_record(save: Save) -> None:
    """Who, what, when, which words."""
    queue = queue_on(save, full_item("a"))
    queue.approve("a", 1, "好", ANNA, 2.0)
    queue.undo("a", 2, ANNA, 3.0)
    with sqlite3.connect(save.folder / "show.db") as db:
        rows = db.execute("SELECT item, revision, action, at, by, text FROM decisions").fetchall()
    db.close()
    assert rows == [("a", 2, "approve", 2.0, "Anna", "好"), ("a", 3, "undo", 3.0, "Anna", None)]


def test_a_reason_to_let_words_through_is_on_record(save: Save) -> None:
    """With the decision and on the card, over a restart; beside it what the words were checked with."""
    queue = queue_on(save, full_item("a"), full_item("b"))
    block = Flag(0, 1, "words", "block", "辱骂", "insult", "words.tsv")
    queue.approve("a", 1, "好", ANNA, 2.0, [block], override=" 是台词 ", checked="words 1a2b")
    queue.approve("b", 1, "好", ANNA, 2.0, [], override="没有被拦", checked="words 1a2b")
    queue.air("a", 3.0, 1.0)
    with sqlite3.connect(save.folder / "show.db") as db:
        rows = db.execute("SELECT item, action, override, checked FROM decisions").fetchall()
    db.close()
    assert rows == [
        ("a", "approve", "是台词", "words 1a2b"), ("b", "approve", None, "words 1a2b"), ("a", "air", None, None),
    ]  # fmt: skip
    aired, approved = save.open_items(SCENE)
    assert (aired.override, aired.checked, aired.flags) == ("是台词", "words 1a2b", (block,))
    assert approved.override == ""


def test_messages_keep_their_outcome(save: Save) -> None:
    """And their verdict, which a later outcome without one leaves as it is."""
    save.record_messages([(MESSAGE, "blocked", '{"action":"hold"}')])
    save.record_messages([(MESSAGE, "item-9", None)])
    with sqlite3.connect(save.folder / "show.db") as db:
        rows = db.execute("SELECT id, viewer, price, outcome, verdict FROM messages").fetchall()
    db.close()
    assert rows == [("ws:1", "阿强", 30.0, "item-9", '{"action":"hold"}')]


def test_a_database_of_the_first_version_opens(tmp_path: Path) -> None:
    """Its cards and messages are there, and new decisions go beside the old."""
    body = (
        '{"id":"a","created":1.0,"character":"小芽","revision":1,"state":"pending","findings":'
        '[{"start":0,"end":1,"rule":"words","level":"flag","reason":"提醒"}],"drafts":[{"text":"好","done":true}]}'
    )
    with sqlite3.connect(tmp_path / "show.db") as db:
        db.executescript(f"{MIGRATIONS[0]} PRAGMA user_version = 1;")
        db.execute("INSERT INTO items VALUES ('a', ?, 'pending', 1.0, ?)", (SCENE, body))
        db.execute("INSERT INTO decisions VALUES (1, 'z', 2, 'approve', 1.0, 'Anna', '旧话')")
        db.execute("INSERT INTO messages VALUES ('old', 1.0, 'danmaku', 'ws', '7', '阿强', '晚上好', NULL, 'expired')")
    db.close()
    save = Save(tmp_path)
    (item,) = save.open_items(SCENE)
    assert (item.override, item.screened, item.findings[0].firm) == ("", "", False)
    queue = ApprovalQueue(lambda item, decision: save.record(SCENE, item, decision))
    queue.restore([item], 2.0)
    queue.approve("a", 1, "好", ANNA, 2.0, [Flag(0, 1, "words", "block", "辱骂")], override="是台词")
    save.record_messages([(MESSAGE, "expired", "{}")])
    rows = save._db.execute("SELECT text, override FROM decisions ORDER BY number").fetchall()
    assert rows == [("旧话", None), ("好", "是台词")]
    rows = save._db.execute("SELECT id, verdict FROM messages ORDER BY id").fetchall()
    assert rows == [("old", None), ("ws:1", "{}")]
    save.close()


def test_settings_of_a_show_are_remembered(save: Save) -> None:
    assert save.recollect("pause") is None
    save.remember("pause", "hold")
    save.remember("pause", "run")
    assert save.recollect("pause") == "run"


def test_every_commit_is_synced(save: Save) -> None:
    assert save._db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert save._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert save._db.execute("PRAGMA user_version").fetchone() == (len(MIGRATIONS),)


def test_one_program_owns_a_folder(tmp_path: Path) -> None:
    """A second one gets a clear line; when the first has ended the folder is free."""
    save = Save(tmp_path)
    script = f"from pathlib import Path; from bot.save import Save; Save(Path({str(save.folder)!r}))"
    second = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert "另一个 rwkv-cohost" in second.stderr
    save.close()
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0


def test_a_newer_database_is_refused(tmp_path: Path) -> None:
    """An older program must not write into what it does not understand."""
    Save(tmp_path).close()
    with sqlite3.connect(tmp_path / "show.db") as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(SaveError, match="更新版本"):
        Save(tmp_path)


def test_a_database_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "show.db").write_bytes(b"not a database, but long enough to be one" * 100)
    with pytest.raises(SaveError, match="改名留底"):
        Save(tmp_path)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SaveError, match="不能写入"):
        Save(tmp_path / "file" / "Save")


def test_a_full_disk_changes_nothing(save: Save) -> None:
    """The database may not grow by another page: the write is refused whole, and the item is as it was."""
    queue = queue_on(save, full_item("a"))
    (pages,) = save._db.execute("PRAGMA page_count").fetchone()
    save._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(SaveError, match="磁盘空间"):
        for number in range(100):
            queue.open(full_item(f"b{number}"))
    before = queue["a"]
    with pytest.raises(SaveError):
        queue.approve("a", 1, "长" * 180, ANNA, 2.0, [Flag(0, 1, "r" * 4000, "flag", "x")])
    assert queue["a"] is before
    assert [item for item in save.open_items(SCENE) if item.id == "a"] == [before]
