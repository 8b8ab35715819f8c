"""One open scene: its story, who follows it, and the drafts at its end. Shows nothing and asks no engine.

A change is on disk before it counts: where the disk refuses, nothing has changed. `revision` is the moment of the last
change in milliseconds, each later than the one before. It is on record with the scene, so a page that has seen the
newest words can go on after a restart, and one that has not is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bot.desk.asks import Ask, ask_of, by_id, from_record, to_record
from bot.desk.history import History
from bot.desk.orders import Given, Order, Redo, Undo, check_bounds
from bot.desk.scratch import Scratch, Tabs
from bot.desk.steps import CHANGES, STEP, Began, Change
from bot.desk.story import Story
from bot.errors import Refused
from bot.feed import Feed
from bot.save import SaveError
from bot.save.desk import DeskRecord, SceneRow, StepRow

Clock = Callable[[], float]

MOST_ASKS = 12  # for one place, on the screen


class Scene:
    def __init__(self, row: SceneRow, history: History, record: DeskRecord, clock: Clock) -> None:
        self.id, self.series, self.name = row.id, row.series, row.name
        self.revision = _milliseconds(row.changed)
        self.history = history
        self.feed = Feed()
        self.avatars: dict[str, str] = {}  # addresses of the characters' pictures
        self.tabs = Tabs(row.id, record, clock)
        self._record = record
        self._clock = clock
        self.asks: dict[str, Ask] = {}
        self._gather()

    @classmethod
    def begin(cls, record: DeskRecord, clock: Clock, id: str, place: tuple[str, str], began: Began, by: str) -> Scene:
        """A new one, on record. `place`: series and name of the scenario's folder. Raises Refused."""
        now, story = clock(), began.story()
        row = SceneRow(id, story.title, *place, now, now, 0, len(story.lines))
        with _on_disk():
            record.begin(row, StepRow(0, now, by, STEP.dump_json(began).decode()))
        return cls(row, History.of(began), record, clock)

    @classmethod
    def load(cls, record: DeskRecord, clock: Clock, row: SceneRow) -> Scene:
        began, *changes = (STEP.validate_json(step.body) for step in record.steps(row.id))
        assert isinstance(began, Began), "the first step of every scene"
        done = [change for change in changes if isinstance(change, CHANGES)]
        return cls(row, History.of(began, done, row.position), record, clock)

    @property
    def story(self) -> Story:
        return self.history.story

    @property
    def in_use(self) -> bool:
        """Whether a page has it on the screen, or is about to, or drafts are being written."""
        return self.tabs.any_open or any(ask.running for ask in self.asks.values())

    # -- what a person does ----------------------------------------------------------------------------------------

    def check(self, revision: int) -> None:
        """Raise Refused for somebody who has not seen the newest words."""
        if revision != self.revision:
            raise Refused(
                "stale_revision",
                "这一幕在别处变了，刚才的操作没有生效。请看一眼再做。 The scene has changed elsewhere: nothing was done.",
            )

    def obey(self, revision: int, order: Order | Undo | Redo, given: Given, by: str) -> int:
        """Do what the order says; the new revision. Raises Refused, and then nothing has changed."""
        self.check(revision)
        if isinstance(order, Undo):
            self._move(self.history.undo())
        elif isinstance(order, Redo):
            self._move(self.history.redo())
        else:
            self._go_on(order.step(self.story, given), by)
        self._gather()
        return self.revision

    def _go_on(self, step: Change, by: str) -> None:
        after, revision = self.history.then(step), self._next_revision()
        check_bounds(after.story)
        with _on_disk():
            self._record.step(
                self.id,
                StepRow(after.position, revision / 1000, by, STEP.dump_json(step).decode()),
                title=after.story.title,
                lines=len(after.story.lines),
            )
        self.history, self.revision = after, revision

    def _move(self, after: History) -> None:
        revision = self._next_revision()
        with _on_disk():
            self._record.move(
                self.id, after.position, revision / 1000, title=after.story.title, lines=len(after.story.lines)
            )
        self.history, self.revision = after, revision

    def keep_scratch(self, tab: str, scratch: Scratch) -> None:
        with _on_disk():
            self.tabs.keep(tab, scratch)

    # -- drafts ----------------------------------------------------------------------------------------------------

    def put(self, ask: Ask) -> Ask:
        """An ask as it is now."""
        self.asks[ask.id] = ask
        return ask

    def keep(self, ask: Ask) -> None:
        """Its finished drafts outlive the program. Raises SaveError."""
        self._record.keep_proposal(self.id, to_record(ask))

    def draft_text(self, draft_id: str) -> str:
        """The words of a finished draft of this scene, for whatever place. Raises Refused."""
        ask = self.asks.get(ask_of(draft_id)) or self._kept_ask(ask_of(draft_id))
        draft = ask.draft(draft_id) if ask else None
        if draft is None:
            raise Refused("not_found", "这条候选已经不在了。 This draft is no longer here.")
        return draft.text

    def _kept_ask(self, id: str) -> Ask | None:
        kept = self._record.proposal(self.id, id)
        return None if kept is None else from_record(kept)

    @property
    def asks_here(self) -> list[Ask]:
        """The latest for the end of the story, oldest first; those before stay on record."""
        here = [ask for ask in self.asks.values() if ask.place == self.story.place]
        seen = [ask for ask in here if ask.running or ask.proposes or ask.error]
        return sorted(seen, key=lambda ask: ask.at)[-MOST_ASKS:]

    def let_go(self) -> None:
        """Of asks for other places; those that still run are forgotten when they end."""
        self.asks = {id: ask for id, ask in self.asks.items() if ask.running or ask.place == self.story.place}

    def _gather(self) -> None:
        """The asks for the end of the story, which undo may have brought back."""
        self.let_go()
        here = by_id(from_record(kept) for kept in self._record.proposals(self.id, self.story.place))
        self.asks = here | self.asks

    # -- small steps -----------------------------------------------------------------------------------------------

    def _next_revision(self) -> int:
        return max(self.revision + 1, _milliseconds(self._clock()))


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


@contextmanager
def _on_disk() -> Iterator[None]:
    try:
        yield
    except SaveError as error:
        raise Refused("save_failed", str(error)) from error
