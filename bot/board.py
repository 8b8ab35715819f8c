"""The panel's board: everything that operators are told, gathered from the show's parts. Decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from adapters.base import Adapter
from bot import view
from bot.approval import OPEN, ApprovalQueue, Draft, Item, State
from bot.engine.types import Engine
from bot.feed import Feed
from bot.held import HeldLane, Mutes
from bot.intake import Intake, Passed
from bot.rules import Pause, Rules
from bot.scenario import Scenario

HISTORY = 50


class Board:
    """Snapshots for a panel that opens, and an event for every change after that.

    `operators` and `overlays` count open pages; `save_error` is "" while the disk takes everything,
    `words_problem` while the newest word lists are in use.
    """

    def __init__(
        self,
        *,
        queue: ApprovalQueue,
        intake: Intake,
        held: HeldLane,
        mutes: Mutes,
        engine: Engine,
        scenario: Scenario,
        rules: Rules,
        feed: Feed,
        clock: Callable[[], float],
    ) -> None:
        self._queue = queue
        self._intake = intake
        self._held = held
        self._mutes = mutes
        self._engine = engine
        self._scenario = scenario
        self._rules = rules
        self._feed = feed
        self._clock = clock
        self._revision = 0
        self._intake_told = False
        self._adapters_told: list[view.Json] = []
        self.adapters: list[Adapter] = []
        self.operators = 0
        self.overlays = 0
        self.pause = Pause.RUN
        self.save_error = ""
        self.words_problem = ""

    # -- all of it -------------------------------------------------------------------------------------------------

    def snapshot(self) -> view.Json:
        """Everything a panel needs to begin."""
        closed = [item for item in self._queue.items() if item.state not in OPEN and item.state is not State.AIRED]
        on_air = self._queue.items(State.AIRED)
        return {
            "revision": self._revision,
            "items": [self._json(item) for item in self._queue.items() if item.state in OPEN],
            "on_air": self._json(on_air[0]) if on_air else None,
            "history": [self._json(item) for item in sorted(closed, key=_last_change, reverse=True)[:HISTORY]],
            **self._intake_json(),
            "status": self.status(),
        }

    def status(self) -> view.Json:
        """The state of each part, in figures and words."""
        now = self._clock()
        pending = self._queue.items(State.PENDING)
        rules = self._rules
        return {
            "engine": view.engine_json(self._engine.status),
            "adapters": {adapter.name: view.adapter_json(adapter, now) for adapter in self.adapters},
            "operators": self.operators,
            "overlays": self.overlays,
            "pause": self.pause.value,
            "intake": {"waiting": len(self._intake.waiting(now)), "held": len(self._held)},
            "pending": len(pending),
            "oldest": now - pending[0].created if pending else None,
            "now": now,
            "version": rules.version,
            "lang": rules.lang,
            "scenario": self._scenario.key,
            "character": self._scenario.speaker,
            "settings": {
                "max_text": rules.max_text,
                "drafts": rules.drafts,
                "max_pending": rules.max_pending,
                "need_operator": rules.need_operator,
            },
            "save": {"state": "failed" if self.save_error else "ok", "detail": self.save_error},
            "words": {"state": "old" if self.words_problem else "ok", "detail": self.words_problem},
        }

    def play(self, scenario: Scenario, rules: Rules) -> None:
        """Another scenario, with cards of its own: every panel begins anew."""
        self._scenario, self._rules = scenario, rules
        self._revision += 1
        self._feed.publish({"event": "snapshot", **self.snapshot()})

    # -- every change ----------------------------------------------------------------------------------------------

    def item_changed(self, item: Item) -> None:
        self._revision += 1
        self._feed.publish({"event": "item", "item": self._json(item), "revision": self._revision})
        if item.aired is not None:
            on_air = item if item.state is State.AIRED else None
            self._feed.publish({"event": "on_air", "item": self._json(on_air) if on_air else None})

    def draft_grew(self, item: Item, index: int, draft: Draft) -> None:
        self._feed.publish({"event": "draft", "id": item.id, "index": index, **view.draft_json(draft)})

    def status_changed(self) -> None:
        self._feed.publish({"event": "status", "status": self.status()})

    def intake_changed(self) -> None:
        """Told at the next `tell_intake`: once a turn, however many messages a burst holds."""
        self._intake_told = False

    def tell_intake(self, newly_passed: Sequence[Passed]) -> None:
        if newly_passed or not self._intake_told:
            self._feed.publish({"event": "intake", **self._intake_json()})
            self.status_changed()
            self._intake_told = True

    def tell_adapters(self) -> None:
        """A platform that comes, goes or has something to say is told at once; its counts come with the messages."""
        now = self._clock()
        states = [view.adapter_json(adapter, now) for adapter in self.adapters]
        news = [{key: state[key] for key in ("state", "detail", "next_try", "notices")} for state in states]
        if news != self._adapters_told:
            self._adapters_told = news
            self.status_changed()

    # -- in JSON ---------------------------------------------------------------------------------------------------

    def _intake_json(self) -> view.Json:
        return {
            "waiting": [view.waiting_json(waiting) for waiting in self._intake.waiting(self._clock())],
            "passed": [view.passed_json(one) for one in reversed(self._intake.passed[-HISTORY:])],
            "held": [view.held_json(held) for held in reversed(tuple(self._held))],
            "muted": [view.mute_json(mute) for mute in self._mutes.now(self._clock())],
        }

    def _json(self, item: Item) -> view.Json:
        return view.item_json(item, self._viewer_history(item))

    def _viewer_history(self, item: Item) -> list[view.Json]:
        """What this viewer wrote before, and what became of it."""
        if item.message is None or not item.message.viewer.known:
            return []
        viewer = item.message.viewer.key
        return [
            {"text": other.message.text, "state": other.state.value, "reply": other.text}
            for other in self._queue.items()
            if other.message and other.message.viewer.key == viewer and other.created < item.created
        ][-5:]


def _last_change(item: Item) -> float:
    return max(item.until or 0.0, item.aired or 0.0, item.decided or 0.0, item.expires or 0.0, item.created)
