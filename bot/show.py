"""The flow, top to bottom: a message is heard, chosen, answered in drafts, approved by a person, aired, and forgotten.

This file decides when things happen. What may happen is in approval.py; what the audience sees is in outlets.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from uuid import uuid4

from adapters.base import Adapter, AdapterError
from bot.aired import aired_lines, item_lines
from bot.approval import (
    Action,
    ApprovalQueue,
    Approved,
    Decision,
    Draft,
    Flag,
    Item,
    ItemId,
    Operator,
    Quote,
    Refused,
    State,
)
from bot.asking import Asking
from bot.board import HISTORY, Board
from bot.engine.prompting import live_prompt, sanitise, sanitise_name, viewer_line
from bot.engine.types import DraftDone, Engine, EngineError, EngineState, Prompt, Sampling
from bot.feed import Feed
from bot.findings import as_checked, checked, flags, record
from bot.held import Held, HeldLane, Mutes
from bot.intake import Intake, PassReason, WaitClass, Waiting
from bot.messages import Event, Message, MessageId, Withdrawn
from bot.outlets import Outlet, reading_seconds
from bot.own_words import Lists, OwnWords, Rule
from bot.rules import Pause, Rules
from bot.rulings import Rulings
from bot.save import Place, Save, SaveError
from bot.scenario import Line, Scenario, Transcript
from bot.staging import CHOSEN, Stage, Staging
from bot.view import Json, flag_json
from bot.voices import at_least
from moderation import Action as Check
from moderation import Chain, Verdict
from moderation.care import CARE
from moderation.echo import RECENT, Echo
from moderation.lately import Lately
from moderation.providers import Providers

log = logging.getLogger(__name__)

MOST_CARE = 3  # cards for somebody in danger that come up before their turn
MAX_DRAFTS = 20  # a card with more is not read by anyone
TURN_SECONDS = 0.2
MOST_VERDICTS = 20_000  # more messages than can wait; beyond it the oldest verdicts go unrecorded


class Show:
    """One stream: one scenario, one engine, one queue, one record."""

    def __init__(
        self,
        *,
        scenario: Scenario,
        engine: Engine,
        intake: Intake,
        checks: Chain,
        save: Save,
        outlets: Sequence[Outlet],
        feed: Feed,
        rules: Rules,
        clock: Callable[[], float],
        lists: Lists | None = None,
        services: Providers | None = None,
        stage: Stage | None = None,
        on_change: Callable[[Staging], None] = lambda _: None,
    ) -> None:
        """`stage` makes other scenarios ready; None: this one is played to the end. `on_change` hears of another one
        that is played from now on."""
        self._stage = stage
        self._on_change = on_change
        self._scenario = scenario
        self._engine = engine
        self._intake = intake
        self._checks = checks
        self._asking = Asking(services)
        self._save = save
        self._outlets = tuple(outlets)
        self._rules = rules
        self._clock = clock
        self._key = scenario.key
        self._queue = ApprovalQueue(self._record, max_text=rules.max_text)
        self._transcript = self._story(scenario, self._key)
        self._own_words = OwnWords(save, lists) if lists else None
        self._held = HeldLane()
        self._mutes = Mutes()
        self._lately = Lately()
        self._verdicts: dict[MessageId, Verdict] = {}  # of messages whose outcome is not on record yet
        self._board = Board(
            queue=self._queue,
            intake=intake,
            held=self._held,
            mutes=self._mutes,
            engine=engine,
            scenario=scenario,
            rules=rules,
            feed=feed,
            clock=clock,
        )
        self.snapshot = self._board.snapshot
        self.status = self._board.status
        self._rulings = Rulings(intake, self._held, self._mutes, save, clock, self._intake_changed, self._save_failed)
        self.release, self.dismiss = self._rulings.release, self._rulings.dismiss
        self.mute, self.unmute = self._rulings.mute, self._rulings.unmute
        self._drafting: dict[ItemId, asyncio.Task[None]] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._changed = asyncio.Event()
        self._resume()

    # -- 1. a message is heard -------------------------------------------------------------------------------------

    async def listen(self, adapter: Adapter, record: Callable[[Event], None] | None = None) -> None:
        """Hear everything a platform sends. One message that cannot be handled must not end a broadcast."""
        self._board.adapters.append(adapter)
        async with self._asking.in_turn(lambda event: self._heard(event, adapter.name, record)) as hear:
            try:
                async for event in adapter.messages():
                    hear(event)
            except AdapterError as error:
                # The adapter's own state says so on the panel; the show goes on with the other platforms.
                log.error("%s: %s", adapter.name, error)
        self._board.status_changed()

    def _heard(self, event: Event, platform: str, record: Callable[[Event], None] | None) -> None:
        try:
            if isinstance(event, Message):
                event = self.hear(event)
            else:
                self.withdraw(event)
            if record is not None:
                record(event)
        except Exception as error:
            _report("a message from %s could not be handled", platform, error)

    def hear(self, message: Message) -> Message:
        """Screen a message and let it wait, or keep the reason why it does not.

        From here on a message is what the checks have made of it, and that is returned: what is private in it is
        nowhere else, whether anybody answers it or not.
        """
        f"{message.id}{message.text}{message.viewer.name}{message.viewer.id}".encode()  # else it could not be stored
        now = self._clock()
        verdict = self._checks.screen_message(message, self._lately.before(message.viewer, now))
        self._lately.add(message.viewer, message.text, now)
        if (masked := as_checked(message, verdict)) is not message:
            self._asking.masked(message := masked)
        if self._mutes.covers(message.viewer, now):
            self._intake.pass_over(message, PassReason.MUTED, now)
        elif self._board.pause is Pause.DROP:
            self._intake.pass_over(message, PassReason.OPERATOR_DROPPED, now)
        else:
            self._take_in(message, verdict, now)
        self._board.intake_changed()
        self._wake()
        return message

    def _take_in(self, message: Message, verdict: Verdict, now: float) -> None:
        cares = self._cares(flags(verdict))
        held = verdict.action is Check.HOLD and not cares
        if verdict.action is Check.DROP:
            self._keep_verdict(message, verdict)
            self._intake.pass_over(message, PassReason.SPAM, now)
        elif self._intake.put(message, now, findings_hold=held):
            self._keep_verdict(message, verdict)
            if held:
                self._held.put(Held(message, flags(verdict), checked(verdict), now))
            elif cares and self._room_for_care() and (waiting := self._intake.take(message.id, now)):
                self._open(waiting, now)

    def _cares(self, findings: tuple[Flag, ...]) -> bool:
        """Whether somebody may be in danger, and there are words for it that a person wrote."""
        return bool(self._rules.care) and any(flag.rule == CARE for flag in findings)

    def _room_for_care(self) -> bool:
        """A few such cards come up at once; more of them wait for their turn like other messages."""
        return sum(item.wait_class == CARE for item in self._queue.items(State.PENDING)) < MOST_CARE

    def _keep_verdict(self, message: Message, verdict: Verdict) -> None:
        self._verdicts[message.id] = verdict
        if len(self._verdicts) > MOST_VERDICTS:
            del self._verdicts[next(iter(self._verdicts))]

    def withdraw(self, event: Withdrawn) -> None:
        """The platform has deleted messages: they get no answer, and a card that answers one shows it and waits."""
        now = self._clock()
        self._intake.withdraw(event, now)
        self._held.withdraw(event)
        for item in self._queue.items(State.PENDING, State.APPROVED, State.AIRED):
            if item.message is not None and event.covers(item.message) and not item.withdrawn:
                self._board.item_changed(self._queue.withdraw(item.id, now))
        self._board.intake_changed()
        self._wake()

    # -- 2. it is chosen -------------------------------------------------------------------------------------------

    def _choose(self, now: float) -> None:
        """Open cards while a person can keep up with them. A card whose drafts a crash has eaten gets them again."""
        for item in self._queue.items(State.PENDING):
            if self._may_draft() and not (item.drafts or item.drafting or item.error):
                self._start_drafts(item.id, self._rules.drafts, self._rules.sampling_of(item.character))
        while self._may_draft() and len(self._queue.items(State.PENDING)) < self._rules.max_pending:
            waiting = self._intake.next(now)
            if waiting is None:
                return
            self._open(waiting, now)

    def _may_draft(self) -> bool:
        somebody = self._board.operators > 0 or not self._rules.need_operator
        return somebody and self._board.pause is Pause.RUN and self._engine.status.state is EngineState.READY

    def _open(self, waiting: Waiting, now: float, *, urgent: bool = False) -> Item:
        message = waiting.message
        verdict = self._checks.screen_message(message)
        findings = flags(verdict)
        cares = self._cares(findings)
        item = Item(
            id=_new_id(),
            created=now,
            character=self._scenario.speaker,
            lifetime=None if cares else self._rules.lifetimes.get(waiting.klass.value),
            message=message,
            merged=waiting.others,
            quote=self._quote(message, findings),
            wait_class=CARE if cares else waiting.klass.value,
            reasons=tuple(waiting.reasons),
            findings=findings,
            screened=checked(verdict),
            # Never a model's words to somebody in danger: a person wrote these, and a person sends them.
            drafts=(Draft(self._rules.care, done=True, by_person=True),) if cares else (),
        )
        if cares:
            self._asking.soon(self._rules.care)
        self._open_card(item)
        self._save_messages((m, item.id) for m in (message, *waiting.others))
        self._board.intake_changed()
        if not cares:
            self._start_drafts(item.id, self._rules.drafts, self._rules.sampling_of(item.character), urgent=urgent)
        return item

    def _quote(self, message: Message, findings: tuple[Flag, ...]) -> Quote | None:
        """The viewer's words beside the reply. Where a check found anything, they are not repeated on the air."""
        names = self._scenario.speakers
        text = sanitise(message.text, names)
        if not self._rules.quote or findings or not text:
            return None
        return Quote(viewer=sanitise_name(message.viewer.name, names), text=text)

    # -- 3. the engine drafts --------------------------------------------------------------------------------------

    def _start_drafts(
        self,
        item_id: ItemId,
        count: int,
        sampling: Sampling,
        *,
        start_with: str = "",
        hint: str = "",
        urgent: bool = False,
    ) -> None:
        """`urgent`: an operator asked for them and looks at the card now."""
        assert self._tasks is not None
        first = self._queue.drafting(item_id, count, self._clock())
        self._board.item_changed(self._queue[item_id])
        task = self._tasks.create_task(self._draft(item_id, first, count, sampling, start_with, hint, urgent))
        self._drafting[item_id] = task
        task.add_done_callback(lambda task: self._drafted(item_id, task))

    def _drafted(self, item_id: ItemId, task: asyncio.Task[None]) -> None:
        """One that was cancelled may end when the card has another one already."""
        if self._drafting.get(item_id) is task:
            del self._drafting[item_id]

    async def _draft(
        self, item_id: ItemId, first: int, count: int, sampling: Sampling, start_with: str, hint: str, urgent: bool
    ) -> None:
        """Let drafts grow on the card. A generation that fails costs this answer and nothing else."""
        error: str | None = None
        async with asyncio.TaskGroup() as finishing:
            try:
                item = self._queue[item_id]
                prompt = replace(self._prompt(item, start_with, hint), urgent=urgent)
                drafts = self._engine.drafts(prompt, count, sampling)
                watched = self._save.generations.watched(drafts, Place.SHOW, self._key, item.character, start_with)
                async with contextlib.aclosing(watched) as events:
                    async for event in events:
                        done = isinstance(event, DraftDone)
                        if done and self._asking.must_ask(event.text):
                            finishing.create_task(self._finish_draft(item_id, first + event.index, event.text))
                        else:
                            self._grow(item_id, first + event.index, event.text, done=done)
            except Refused:
                return  # decided in the meantime
            except EngineError as failure:
                error = str(failure)
            except Exception as failure:
                _report("a generation of %s failed", item_id, failure)
                error = f"生成失败（{type(failure).__name__}），可以按“更多”重试。 Generation failed; press More to try again."
        with contextlib.suppress(Refused):
            if error is None and not any(draft.done for draft in self._queue[item_id].drafts):
                error = "这次没有写出内容，可以按“更多”重试。 Nothing was written; press More to try again."
            self._board.item_changed(self._queue.drafted(item_id, error))

    async def _finish_draft(self, item_id: ItemId, index: int, text: str) -> None:
        """It can be read while the user's services look at it; it is finished when they have, or have not in time."""
        try:
            self._grow(item_id, index, text, done=False)
            await self._asking.about_reply(text)
            self._grow(item_id, index, text, done=True)
        except Refused:
            pass  # decided in the meantime
        except Exception as failure:
            _report("a draft of %s could not be finished", item_id, failure)

    def _prompt(self, item: Item, start_with: str, hint: str) -> Prompt:
        asked = viewer_line(item.message, self._scenario.speakers) if item.message else None
        return live_prompt(
            self._scenario,
            self._transcript.lines,
            asked,
            turns=self._rules.turns,
            character=item.character,
            start_with=start_with,
            hint=hint,
        )

    def _grow(self, item_id: ItemId, index: int, text: str, *, done: bool) -> None:
        # A draft without a word is no proposal: it never counts as finished.
        draft = Draft(text)
        if done and text:
            verdict = self._screen_reply(self._queue[item_id], text)
            draft = Draft(text, done=True, flags=flags(verdict), checked=checked(verdict))
        self._board.draft_grew(self._queue.draft(item_id, index, draft), index, draft)

    def _screen_reply(self, item: Item, text: str) -> Verdict:
        """Beside what the same character said just now, and the viewer's words where they were flagged."""
        recent = [line.text for line in self._transcript.lines[-2 * RECENT :] if line.character == item.character]
        flagged = item.message.text if item.message is not None and item.findings else ""
        return self._checks.screen_reply(text, Echo(recent, flagged))

    # -- 4. a person decides ---------------------------------------------------------------------------------------

    def approve(self, item_id: str, revision: int, text: str, by: Operator, override: str = "") -> None:
        """These exact words may go on the air. They are screened once more; on record when this returns.

        `override`: why they may although a check blocks them. What is forbidden for good it does not help. Words that a
        service of the user's was never asked about are refused once, and it is asked: the next time its findings count.
        """
        now = self._clock()
        item = self._queue.check(item_id, revision, Action.APPROVE, now)
        if self._asking.too_early(text):
            raise Refused(
                "unchecked",
                "这段话还没有经过你的审核服务，正在问它；请过一会儿再认可一次。"
                " Your own service is being asked about these words: approve them again in a moment.",
            )
        verdict = self._screen_reply(item, text)
        found = flags(verdict)
        if verdict.action in (Check.BLOCK, Check.HARD_BLOCK) and not any(flag.level == "block" for flag in found):
            found += (Flag(0, len(text), "verdict", "block", "审核未通过", firm=verdict.action is Check.HARD_BLOCK),)
        self._decided(
            self._queue.approve(item_id, revision, text, by, now, found, override=override, checked=checked(verdict))
        )

    async def check(self, text: str) -> Json:
        """What the checks say of words that somebody is writing. Decides nothing and keeps nothing."""
        await self._asking.about_reply(text)
        verdict = self._checks.screen_reply(text)
        return {"action": verdict.action.value, "flags": [flag_json(flag) for flag in flags(verdict)]}

    def reject(self, item_id: str, revision: int, by: Operator, mute: bool = False) -> None:
        now = self._clock()
        message = self._queue.check(item_id, revision, Action.REJECT, now).message
        if mute and message is not None and not message.viewer.known:
            raise Refused(
                "anonymous",
                "平台没有说这是谁，不能只禁言这一位；请直接丢弃。 Nobody knows who this is: reject without muting.",
            )
        item = self._queue.reject(item_id, revision, by, now)
        if mute and item.message is not None:
            self._rulings.mute_with(item.id, item.message.viewer, by)
        self._decided(item)

    def objection(self, text: str) -> str:
        """Why the checks would keep these words from the audience, "" where they would not: asked by outlets that cut
        an approved reply, for a piece of it can read differently. The user's services were asked about the whole."""
        findings = self._checks.screen_reply(text).findings
        if not any(finding.stops and not finding.unanswered for finding in findings):
            return ""
        return "；".join(finding.reason for finding in findings if not finding.unanswered)

    def undo(self, item_id: str, revision: int, by: Operator) -> None:
        item = self._queue.undo(item_id, revision, by, self._clock())
        self._rulings.lift_with(item.id)
        self._decided(item)

    def recall(self, item_id: str, revision: int, by: Operator) -> None:
        """Take it off the air and out of the model's memory."""
        item = self._queue.check(item_id, revision, Action.RECALL, self._clock())
        for outlet in self._outlets:  # first of all, whatever the disk says afterwards
            outlet.hide(item.id)
        self._decided(self._queue.recall(item_id, revision, by, self._clock()))
        self._transcript.remove(item.id)

    def more(
        self,
        item_id: str,
        revision: int,
        by: Operator,
        count: int | None = None,
        start_with: str = "",
        min_length: int = 0,
        hint: str = "",
    ) -> None:
        item = self._queue.check(item_id, revision, Action.APPROVE, self._clock())
        if item.wait_class == CARE:
            raise Refused("care", "这张卡片不由模型来写，请用固定的话或自己写。 No model writes this one.")
        if item.drafting:
            raise Refused("drafting", "还在生成，请稍等。 Still drafting.")
        count = min(count or self._rules.drafts, MAX_DRAFTS - len(item.drafts))
        if count < 1:
            raise Refused("enough", f"已有 {MAX_DRAFTS} 条候选，请选一条或丢弃。 There are enough drafts.")
        self._need_engine()
        sampling = at_least(self._rules.sampling_of(item.character), min_length)
        self._start_drafts(item.id, count, sampling, start_with=start_with, hint=hint, urgent=True)

    def say(self, character: str, text: str, by: Operator) -> str:
        """An operator's own line: the same card and the same checks, approved by the one who wrote it."""
        item = self._open_card(Item(_new_id(), self._clock(), self._speaker(character), wait_class="own"))
        try:
            self.approve(item.id, item.revision, text, by)
        except Refused:
            self.reject(item.id, item.revision, by)
            raise
        return item.id

    def generate(
        self, by: Operator, character: str = "", start_with: str = "", min_length: int = 0, count: int | None = None
    ) -> str:
        """Drafts that answer nobody: the character goes on by itself."""
        speaker = self._speaker(character)
        self._need_engine()
        lifetime = self._rules.lifetimes.get(WaitClass.OTHER.value)
        item = self._open_card(Item(_new_id(), self._clock(), speaker, lifetime=lifetime, wait_class="own"))
        sampling = at_least(self._rules.sampling_of(speaker), min_length)
        self._start_drafts(item.id, count or self._rules.drafts, sampling, start_with=start_with, urgent=True)
        return item.id

    def answer(self, message_id: str, by: Operator) -> str:
        """Answer this message although it was passed over, or before its turn."""
        self._need_engine()
        now = self._clock()
        waiting = self._intake.take(message_id, now)
        if waiting is None:
            raise Refused("not_found", "这条弹幕已不在列表里。 This message is no longer listed.")
        self._held.take(message_id)
        return self._open(waiting, now, urgent=True).id

    def pause(self, mode: str, by: Operator) -> None:
        self._set_pause(Pause(mode))
        if self._board.pause is Pause.DROP:
            now = self._clock()
            self._intake.drop_all(now, PassReason.OPERATOR_DROPPED)
            for item in self._queue.items(State.PENDING):
                self._decided(self._queue.reject(item.id, item.revision, by, now))
        self._board.intake_changed()
        self._board.status_changed()

    def change_scenario(self, series: str, name: str, by: Operator) -> None:
        """Another scenario from now on, with its own story, cards, checks and voices; or this one as its file is now.

        Both names "": the one of the settings. Refused while a card waits, is approved or is on the air. It is made
        ready and on record before anything here changes, so whatever goes wrong leaves everything as it was.
        """
        if self._stage is None:
            raise Refused("no_scenarios", "这次只演这一个剧本。 Only this scenario is played.")
        self._queue.check_quiet()
        staging, now = self._stage(series, name), self._clock()
        story = self._story(staging.scenario, staging.key)
        try:
            items = self._queue.settled(self._items_of(staging.key), now)
            self._save.remember(CHOSEN, staging.choice)
        except SaveError as error:
            self._save_failed(error)
            raise Refused("save_failed", str(error)) from error
        self._queue.exchange(items)
        self._play(staging, story)
        log.info("%s plays %s from now on", by.name, staging.key)

    def check_quiet(self) -> None:
        """Raises Refused while the scenario cannot be changed."""
        self._queue.check_quiet()

    def _play(self, staging: Staging, story: Transcript) -> None:
        """Nothing in here can fail: half a change would put one scenario's words into another's mouth."""
        self._scenario, self._checks, self._rules = staging.scenario, staging.checks, staging.rules
        self._key, self._transcript = staging.key, story
        self._rulings.forget_items()
        self._intake.call((staging.scenario.speaker,))
        self._on_change(staging)
        self._board.play(staging.scenario, staging.rules)
        self._wake()

    def stop(self, by: Operator) -> None:
        """Emergency: every outlet is empty when this returns, and nothing airs until somebody resumes."""
        self._queue.paused = True
        for outlet in self._outlets:
            outlet.clear()
        now = self._clock()
        self._set_pause(Pause.HOLD)
        for item in self._queue.take_back(now, by):
            self._decided(item)
        for item in self._queue.items(State.AIRED):
            self._board.item_changed(self._queue.finish(item.id, now))
        self._board.status_changed()

    # -- the word lists --------------------------------------------------------------------------------------------

    def words_changed(self, problem: str) -> None:
        """Another version of the word lists is in use; or, with a problem, the newest cannot be."""
        if problem:
            log.warning("%s", problem)
        self._board.words_problem = problem
        self._check_drafts_again()
        self._board.status_changed()

    async def list_word(self, word: str, rule: Rule, by: Operator, category: str = "custom", severity: int = 3) -> None:
        """A word for the user's own list, in effect when this returns."""
        if self._own_words is None:
            raise Refused("no_list", "这次没有用词表。 No word lists are in use.")
        await self._own_words.put(word, rule, category, severity)
        self.words_changed("")

    def _check_drafts_again(self) -> None:
        """Proposals are marked by the lists of now; the words are screened once more when they are approved."""
        for item in self._queue.items(State.PENDING):
            for index, draft in enumerate(item.drafts):
                if draft.done:
                    verdict = self._screen_reply(item, draft.text)
                    again = replace(draft, flags=flags(verdict), checked=checked(verdict))
                    if again.flags != draft.flags:
                        self._board.draft_grew(self._queue.draft(item.id, index, again), index, again)

    # -- 5. it is aired --------------------------------------------------------------------------------------------

    async def _air(self) -> None:
        """One reply at a time, in the order of approval. Each outlet is asked only while the reply is still on."""
        approved = sorted(self._queue.items(State.APPROVED), key=lambda item: item.decided or 0.0)
        if not approved or self._queue.paused or self._queue.items(State.AIRED):
            return
        reply = self._publish(approved[0].id)
        for outlet in self._outlets:
            if any(item.id == reply.id for item in self._queue.items(State.AIRED)):
                await outlet.show(reply)

    def _publish(self, item_id: ItemId) -> Approved:
        now = self._clock()
        rules = self._rules
        seconds = reading_seconds(
            self._queue[item_id].text or "",
            least=rules.least_seconds,
            per_character=rules.seconds_per_character,
            most=rules.most_seconds,
        )
        reply = self._queue.air(item_id, now, seconds)
        item = self._queue[item_id]
        self._remember(item)
        if item.message is not None:
            self._intake.answered(item.message, now)
        self._board.item_changed(item)
        return reply

    def _remember(self, item: Item) -> None:
        """What was published, edits included, is what the model remembers."""
        for line in item_lines(item, self._scenario.speakers):
            self._transcript.append(line)

    def _finish(self, now: float) -> None:
        for item in self._queue.items(State.AIRED):
            if item.until is not None and now >= item.until:
                done = self._queue.finish(item.id, now)
                for outlet in self._outlets:
                    outlet.hide(item.id)
                self._board.item_changed(done)

    # -- the clockwork ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as self._tasks:
            while True:
                await self._turn()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(TURN_SECONDS):
                        await self._changed.wait()
                self._changed.clear()

    async def _turn(self) -> None:
        now = self._clock()
        try:
            self._finish(now)
            for item in self._queue.expire(now):
                self._decided(item)
            await self._air()
            self._choose(now)
        except Refused as refusal:
            if refusal.code != "save_failed":
                raise
            # The disk refused, and the status says so: nothing has changed, and the next turn tries again.
        passed = self._intake.newly_passed()
        self._save_messages((one.message, one.reason.value) for one in passed)
        self._board.tell_intake(passed)
        self._board.tell_adapters()
        self._queue.forget(keep=4 * HISTORY)

    def _wake(self) -> None:
        self._changed.set()

    def _intake_changed(self) -> None:
        self._board.intake_changed()
        self._wake()

    def engine_changed(self) -> None:
        self._wake()
        self._board.status_changed()

    def operators_changed(self, count: int) -> None:
        self._board.operators = count
        self._wake()
        self._board.status_changed()

    def overlays_changed(self, count: int) -> None:
        self._board.overlays = count
        self._board.status_changed()

    def transcript_lines(self) -> list[Line]:
        """What was aired and stands: the model's memory."""
        return list(self._transcript.lines)

    # -- small steps -----------------------------------------------------------------------------------------------

    def _resume(self) -> None:
        """After a restart: what waited waits, what was approved but not aired waits for a person again."""
        self._set_pause(Pause(self._save.recollect("pause") or Pause.RUN), remember=False)
        self._queue.restore(self._items_of(self._key), self._clock())

    def _story(self, scenario: Scenario, key: str) -> Transcript:
        """What the model remembers: the opening, and what was aired and stands."""
        return Transcript((*scenario.opening, *aired_lines(self._save, key, scenario.speakers)))

    def _items_of(self, key: str) -> list[Item]:
        """The cards of a scenario that are on record: the last that are over, and all that are not."""
        return [*self._save.closed_items(key, HISTORY), *self._save.open_items(key)]

    def _record(self, item: Item, decision: Decision | None) -> None:
        """The queue's journal: on disk, or it did not happen."""
        try:
            self._save.record(self._key, item, decision)
        except SaveError as error:
            self._save_failed(error)
            raise Refused("save_failed", str(error)) from error
        if self._board.save_error:
            self._board.save_error = ""
            self._board.status_changed()

    def _save_messages(self, outcomes: Iterable[tuple[Message, str]]) -> None:
        """The record of what was passed over may have a gap; the show goes on and says so."""
        try:
            self._save.record_messages((message, outcome, self._recorded(message)) for message, outcome in outcomes)
        except SaveError as error:
            self._save_failed(error)

    def _recorded(self, message: Message) -> str | None:
        verdict = self._verdicts.pop(message.id, None)
        return record(verdict) if verdict is not None else None

    def _save_failed(self, error: SaveError) -> None:
        if not self._board.save_error:
            log.error("%s", error)
        self._board.save_error = str(error)
        self._board.status_changed()

    def _open_card(self, item: Item) -> Item:
        item = self._queue.open(item)
        self._board.item_changed(item)
        return item

    def _decided(self, item: Item) -> None:
        """A card has changed its state: no more drafts for it, and everyone is told."""
        task = self._drafting.pop(item.id, None)
        if task is not None:
            task.cancel()
        self._board.item_changed(item)
        self._wake()

    def _set_pause(self, mode: Pause, *, remember: bool = True) -> None:
        self._queue.paused = mode is not Pause.RUN
        self._board.pause = mode
        if remember:
            try:
                self._save.remember("pause", mode.value)
            except SaveError as error:
                self._save_failed(error)
        self._wake()

    def _need_engine(self) -> None:
        status = self._engine.status
        if status.state is not EngineState.READY or self._tasks is None:
            raise Refused("engine", f"引擎还没有就绪：{status.detail or status.state}。 The engine is not ready.")
        if self._board.pause is not Pause.RUN:
            raise Refused("paused", "暂停中。请先恢复。 Paused: resume first.")

    def _speaker(self, name: str) -> str:
        known = [character.name for character in self._scenario.characters]
        if name and name not in known:
            raise Refused("unknown_character", f"剧本里没有“{name}”，可选：{'、'.join(known)}。 No such character.")
        return name or self._scenario.speaker


def _report(what: str, where: str, error: Exception) -> None:
    """At a boundary that the show survives. What an error says may quote a viewer, so only `debug` shows all of it."""
    log.error(f"{what}: %s", where, type(error).__name__)
    log.debug("in full", exc_info=error)


def _new_id() -> ItemId:
    return ItemId(uuid4().hex[:12])
