"""The desk as a machine: orders of people, undo and redo, proposals, text boxes, and a restart at any moment.

The model knows nothing of what an order means; it keeps what the screen showed. Whatever was seen must be seen again
after undo, redo and a restart, and a refusal changes nothing.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from pydantic import TypeAdapter

from bot.approval import Operator
from bot.desk.asks import Ask, Draft
from bot.desk.desk import Desk
from bot.desk.orders import AnyOrder
from bot.desk.scratch import Scratch
from bot.engine.scripted import ScriptedEngine
from bot.errors import Refused
from bot.save import Save
from bot.voices import Voices
from tests.desk.atelier import RAIN

ORDER: TypeAdapter[Any] = TypeAdapter(AnyOrder)
STORY = ("title", "lines", "pending", "branch", "branches", "checkpoints", "cast", "note", "refresh")
BY = Operator("op")

words = st.text("雨夜来人 a\n:：", max_size=6)
number = st.integers(0, 6)
names = st.sampled_from(["阿岚", "老周", "我", "", "过客"])


class DeskMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.now = 1_700_000_000.0
        self.shown: list[Any] = []  # the story after each change, as the screen showed it
        self.at = 0
        self.proposals: dict[str, set[str]] = {}  # ids of finished drafts by place
        self.scratch: dict[str, str] = {}
        self.revisions = [0]

    @initialize()
    def begin(self) -> None:
        self.live()
        self.save.library.create(RAIN)
        self.scene = self.desk.open("旧城", "雨夜", BY)
        self.shown = [self.story()]
        self.revisions = [self.seen["revision"]]

    def live(self) -> None:
        self.save = Save(self.folder)
        self.desk = Desk(self.save, ScriptedEngine(), voices=Voices(), clock=lambda: self.now)

    @property
    def seen(self) -> Any:
        return self.desk.snapshot(self.scene)

    def story(self) -> Any:
        return {key: self.seen[key] for key in STORY}

    def do(self, **order: Any) -> bool:
        """Whether it was done."""
        before = self.desk.snapshot(self.scene)
        try:
            revision = self.desk.do(self.scene, before["revision"], ORDER.validate_python(order), BY)
        except Refused:
            assert self.desk.snapshot(self.scene) == before
            return False
        assert revision == self.seen["revision"] > max(self.revisions)
        self.revisions.append(revision)
        return True

    def change(self, **order: Any) -> bool:
        done = self.do(**order)
        if done:
            self.shown = [*self.shown[: self.at + 1], self.story()]
            self.at += 1
        return done

    def line(self, n: int, *, pending: bool = True) -> str:
        scene = self.seen
        lines = [*scene["lines"], *(scene["pending"] if pending else [])]
        return lines[n % len(lines)]["id"] if lines else ""

    # -- what people do --------------------------------------------------------------------------------------------

    @rule(texts=st.lists(words, min_size=1, max_size=3), name=names, at=st.none() | number)
    def add(self, texts: list[str], name: str, at: int | None) -> None:
        lines = [{"character": name, "text": text} for text in texts]
        self.change(kind="add", lines=lines, at=at)

    @rule(n=number, text=words, name=st.none() | names)
    def edit(self, n: int, text: str, name: str | None) -> None:
        self.change(kind="edit", line=self.line(n), text=text, character=name)

    @rule(n=number, to=number, kind=st.sampled_from(["move", "delete", "discard", "unrefresh"]))
    def arrange(self, n: int, to: int, kind: str) -> None:
        self.change(kind=kind, line=self.line(n), to=to)

    @rule(text=words)
    def confirm(self, text: str) -> None:
        self.change(kind="add", lines=[{"character": "我", "text": f"我{text}"}])
        before = self.seen
        seen = [{"id": line["id"], "text": line["text"]} for line in before["pending"]]
        for other in ([*seen, {"id": "x", "text": "没看过的"}], seen[1:], [*seen[:-1], {**seen[-1], "text": "旧的"}]):
            assert not self.do(kind="confirm", lines=other)
        assert self.change(kind="confirm", lines=seen)
        assert self.seen["lines"] == before["lines"] + before["pending"] and self.seen["pending"] == []

    @rule(n=number)
    def rewind(self, n: int) -> None:
        self.change(kind="rewind", line=self.line(n, pending=False))

    @rule(n=number, name=words)
    def branch(self, n: int, name: str) -> None:
        self.change(kind="branch", line=self.line(n, pending=False), name=name)

    @rule(n=number, kind=st.sampled_from(["switch", "prune"]))
    def go(self, n: int, kind: str) -> None:
        branches = self.seen["branches"]
        self.change(kind=kind, branch=branches[n % len(branches)]["id"])

    @rule(n=number, name=words)
    def checkpoint(self, n: int, name: str) -> None:
        self.change(kind="checkpoint", name=name, line=self.line(n, pending=False))

    @rule(n=number, kind=st.sampled_from(["restore", "drop_checkpoint"]))
    def to_checkpoint(self, n: int, kind: str) -> None:
        points = self.seen["checkpoints"]
        self.change(kind=kind, checkpoint=points[n % len(points)]["id"] if points else "none")

    @rule(text=words, n=number)
    def frame(self, text: str, n: int) -> None:
        self.change(kind="note", text=text, depth=n)
        self.change(kind="refresh", summary=text, last=n)
        self.change(kind="title", title=text)

    @rule(times=st.integers(1, 3), restarted=st.booleans())
    def undo(self, times: int, restarted: bool) -> None:
        for _ in range(times):
            assert self.do(kind="undo") == (self.at > 0)
            self.at = max(0, self.at - 1)
        if restarted:
            self.restart()

    @rule(restarted=st.booleans())
    def redo(self, restarted: bool) -> None:
        more = self.at + 1 < len(self.shown)
        assert self.do(kind="redo") == more
        self.at += more
        if restarted:
            self.restart()

    @rule(n=st.integers(0, 50))
    def click_on_an_old_screen(self, n: int) -> None:
        old = self.revisions[n % len(self.revisions)]
        if old != self.revisions[-1]:
            before = self.seen
            try:
                self.desk.do(self.scene, old, ORDER.validate_python({"kind": "undo"}), BY)
            except Refused as refused:
                assert refused.code == "stale_revision" and self.seen == before
            else:
                raise AssertionError("a stale order was obeyed")

    # -- what else happens -----------------------------------------------------------------------------------------

    @rule(count=st.integers(1, 3))
    def drafts_come(self, count: int) -> None:
        scene = self.desk._shelf.take(self.scene)
        drafts = tuple(Draft(f"候选{number}", done=True) for number in range(count))
        ask = scene.put(Ask(f"ask{len(self.proposals)}-{self.now}", scene.story.place, "阿岚", self.now, drafts=drafts))
        scene.keep(ask)
        self.now += 1
        self.proposals.setdefault(scene.story.place, set()).update(ask.draft_id(n) for n in range(count))

    @rule(n=number)
    def take_a_draft(self, n: int) -> None:
        drafts = [(ask["character"], draft) for ask in self.seen["asks"] for draft in ask["drafts"]]
        if drafts:
            character, draft = drafts[n % len(drafts)]
            line = {"character": character, "text": draft["text"], "draft": draft["id"]}
            assert self.change(kind="add", lines=[line])
            assert self.seen["pending"][-1]["origin"] == "模型生成"

    @rule(tab=st.sampled_from(["a", "b"]), text=words)
    def type(self, tab: str, text: str) -> None:
        self.desk.keep_scratch(self.scene, tab, Scratch(text, len(text), "", ""))
        self.scratch[tab] = text

    @rule()
    def restart(self) -> None:
        """And the clock may have been set back."""
        self.save.close()
        self.now -= 3600
        self.live()

    # -- what always holds -----------------------------------------------------------------------------------------

    @invariant()
    def everything_is_there(self) -> None:
        if not self.shown:
            return
        scene = self.seen
        assert {key: scene[key] for key in STORY} == self.shown[self.at]
        assert scene["revision"] == self.revisions[-1]
        assert (scene["undo"] is not None) == (self.at > 0)
        assert (scene["redo"] is not None) == (self.at + 1 < len(self.shown))
        ids = ["", *(line["id"] for line in (*scene["lines"], *scene["pending"]))]
        assert len(ids) == len(set(ids))
        here = {draft["id"] for ask in scene["asks"] for draft in ask["drafts"]}
        assert here == self.proposals.get(ids[-1], set()), "proposals belong to their place"
        for tab, text in self.scratch.items():
            assert self.desk.snapshot(self.scene, tab)["scratch"]["text"] == text

    def teardown(self) -> None:
        if self.shown:
            self.save.close()
        shutil.rmtree(self.folder)


TestDeskMachine = DeskMachine.TestCase
TestDeskMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
