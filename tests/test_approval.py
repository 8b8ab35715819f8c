"""The approval queue: the table, the mint, and a state machine whose rules are people."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, rule

from bot.approval import (
    OPEN,
    TABLE,
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

ANNA = Operator("Anna")
BLOCK = Flag(0, 1, "words", "block", "辱骂")
FIRM = Flag(0, 1, "words", "block", "涉未成年人", firm=True)


def item(name: str = "a", **fields: Any) -> Item:
    fields = {"created": 0.0, "character": "小芽", "drafts": (Draft("你好", True),)} | fields
    return Item(ItemId(name), **fields)


def queue_with(*items: Item) -> ApprovalQueue:
    queue = ApprovalQueue(lambda item, decision: None)
    for one in items:
        queue.open(one)
    return queue


def code(refusal: pytest.ExceptionInfo[Refused]) -> str:
    return refusal.value.code


def test_the_table_is_the_one_of_the_design() -> None:
    """Every state and action, written out once more."""
    assert {(s.value, a.value, t.value) for s, row in TABLE.items() for a, t in row.items()} == {
        ("pending", "approve", "approved"),
        ("pending", "reject", "rejected"),
        ("pending", "expire", "expired"),
        ("approved", "air", "aired"),
        ("approved", "undo", "pending"),
        ("aired", "recall", "recalled"),
        ("aired", "finish", "done"),
        ("rejected", "undo", "pending"),
        ("expired", "undo", "pending"),
    }
    assert set(TABLE) == set(State)


def test_only_the_queue_makes_an_approved() -> None:
    """Neither the constructor, nor replace, nor a subclass, nor a pickle forges one."""
    queue = queue_with(item())
    queue.approve("a", 1, "你好", ANNA, 1.0)
    reply = queue.air("a", 2.0, 5.0)
    with pytest.raises(TypeError):
        Approved(ItemId("a"), "骂人", "小芽", None, None, "Anna", 5.0, mint=object())
    with pytest.raises((TypeError, ValueError)):
        dataclasses.replace(reply, text="骂人")
    with pytest.raises(dataclasses.FrozenInstanceError):
        reply.text = "骂人"  # type: ignore[misc]
    with pytest.raises(TypeError):
        type("Forged", (Approved,), {})
    with pytest.raises(TypeError):
        pickle.dumps(reply)
    with pytest.raises(TypeError):
        copy.copy(reply)


def test_what_is_aired_is_what_was_approved() -> None:
    """Edited words go out as edited, with the name of who approved them."""
    queue = queue_with(item())
    assert queue.approve("a", 1, "你好呀", ANNA, 1.0).edited
    reply = queue.air("a", 2.0, 5.0)
    assert (reply.text, reply.by, reply.seconds) == ("你好呀", "Anna", 5.0)


def test_a_second_click_is_refused() -> None:
    """The first click raised the revision; the second one is told so and changes nothing."""
    queue = queue_with(item())
    queue.approve("a", 1, "你好", ANNA, 1.0)
    with pytest.raises(Refused) as refusal:
        queue.approve("a", 1, "别的话", ANNA, 1.0)
    assert code(refusal) == "stale_revision"
    assert queue["a"].text == "你好"


@pytest.mark.parametrize(
    ("text", "expected"), [("", "empty"), ("  \n", "empty"), ("长" * 201, "too_long")], ids=["empty", "blank", "long"]
)
def test_words_that_cannot_be_shown_are_refused(text: str, expected: str) -> None:
    queue = queue_with(item())
    with pytest.raises(Refused) as refusal:
        queue.approve("a", 1, text, ANNA, 1.0)
    assert code(refusal) == expected
    assert queue["a"].state is State.PENDING


def test_blocked_words_are_refused() -> None:
    """A block is not a hint: the words have to change."""
    queue = queue_with(item())
    with pytest.raises(Refused, match="辱骂") as refusal:
        queue.approve("a", 1, "你好", ANNA, 1.0, [BLOCK])
    assert code(refusal) == "blocked"


def test_a_reason_lets_blocked_words_through_and_stays_with_them() -> None:
    """Until somebody takes the approval back; then the words need a reason again."""
    decisions: list[Decision | None] = []
    queue = ApprovalQueue(lambda item, decision: decisions.append(decision))
    queue.open(item())
    after = queue.approve("a", 1, "你好", ANNA, 1.0, [BLOCK], override=" 这是剧本里的台词 ", checked="words 1")
    assert (after.override, after.checked, after.by) == ("这是剧本里的台词", "words 1", "Anna")
    assert decisions[-1] == Decision(Action.APPROVE, 1.0, "Anna", "你好", "这是剧本里的台词", "words 1")
    back = queue.undo("a", 2, ANNA, 2.0)
    assert (back.override, back.checked) == ("", "")
    with pytest.raises(Refused) as refusal:
        queue.approve("a", 3, "你好", ANNA, 3.0, [BLOCK])
    assert code(refusal) == "blocked"


@pytest.mark.parametrize("reason", ["", " ", "\n\t", "\u3000"])
def test_a_reason_without_a_word_is_none(reason: str) -> None:
    queue = queue_with(item())
    with pytest.raises(Refused) as refusal:
        queue.approve("a", 1, "你好", ANNA, 1.0, [BLOCK], override=reason)
    assert code(refusal) == "blocked"


def test_a_reason_has_an_end() -> None:
    queue = queue_with(item())
    with pytest.raises(Refused, match="理由太长") as refusal:
        queue.approve("a", 1, "你好", ANNA, 1.0, [BLOCK], override="长" * 201)
    assert code(refusal) == "too_long"


@pytest.mark.parametrize("flags", [[FIRM], [BLOCK, FIRM], [FIRM, BLOCK]])
def test_no_reason_lets_through_what_is_blocked_for_good(flags: list[Flag]) -> None:
    """Whatever else was found, and however good the reason."""
    queue = queue_with(item())
    with pytest.raises(Refused, match="只能改") as refusal:
        queue.approve("a", 1, "你好", ANNA, 1.0, flags, override="我说可以")
    assert code(refusal) == "blocked"
    assert queue["a"].state is State.PENDING
    assert queue.approve("a", 1, "换一句", ANNA, 1.0).state is State.APPROVED


def test_a_block_without_a_reason_of_its_own_still_blocks() -> None:
    """What it says is not what makes it one."""
    queue = queue_with(item())
    with pytest.raises(Refused):
        queue.approve("a", 1, "你好", ANNA, 1.0, [Flag(0, 1, "words", "block", "")])


def test_words_that_nothing_blocks_need_no_reason_and_keep_none() -> None:
    queue = queue_with(item())
    assert queue.approve("a", 1, "你好", ANNA, 1.0, [], override="多此一举").override == ""


def test_a_click_after_the_time_is_refused_even_before_the_clock_has_noticed() -> None:
    queue = queue_with(item(lifetime=10.0))
    with pytest.raises(Refused) as refusal:
        queue.approve("a", 1, "你好", ANNA, 10.0)
    assert code(refusal) == "expired"
    assert [one.state for one in queue.expire(10.0)] == [State.EXPIRED]


def test_nothing_is_approved_or_aired_during_a_pause() -> None:
    queue = queue_with(item("a"), item("b"))
    queue.approve("a", 1, "你好", ANNA, 1.0)
    queue.paused = True
    with pytest.raises(Refused) as approving:
        queue.approve("b", 1, "你好", ANNA, 1.0)
    with pytest.raises(Refused) as airing:
        queue.air("a", 1.0, 5.0)
    assert code(approving) == code(airing) == "paused"


def test_a_draft_that_arrives_does_not_spoil_a_click() -> None:
    """Drafts grow without raising the revision that the operator's click carries."""
    queue = queue_with(item(drafts=()))
    first = queue.drafting("a", 2, 1.0)
    queue.draft("a", first, Draft("你好", True))
    queue.draft("a", first + 1, Draft("你"))
    assert queue.approve("a", 1, "你好", ANNA, 2.0).drafts == (Draft("你好", True),)


def test_a_draft_that_comes_too_late_is_refused() -> None:
    queue = queue_with(item())
    queue.reject("a", 1, ANNA, 1.0)
    with pytest.raises(Refused):
        queue.draft("a", 0, Draft("换掉", True))
    assert queue["a"].drafts == (Draft("你好", True),)


def test_undo_gives_a_fresh_lifetime_and_forgets_the_words() -> None:
    queue = queue_with(item(lifetime=10.0))
    queue.approve("a", 1, "你好", ANNA, 5.0)
    again = queue.undo("a", 2, ANNA, 8.0)
    assert (again.state, again.text, again.expires, again.revision) == (State.PENDING, None, 18.0, 3)


def test_edited_words_that_are_taken_back_are_not_lost() -> None:
    """They come back as a proposal of a person's, and approving them again still counts as edited."""
    queue = queue_with(item())
    queue.approve("a", 1, "改过的话", ANNA, 1.0)
    again = queue.undo("a", 2, ANNA, 2.0)
    assert [(draft.text, draft.by_person) for draft in again.drafts] == [("你好", False), ("改过的话", True)]
    assert queue.approve("a", 3, "改过的话", ANNA, 3.0).edited
    assert [draft.text for draft in queue.undo("a", 4, ANNA, 4.0).drafts].count("改过的话") == 1


def test_finished_drafts_keep_their_numbers() -> None:
    """A draft that was left unfinished becomes empty in its place, until the card is decided."""
    queue = queue_with(item(drafts=()))
    first = queue.drafting("a", 3, 1.0)
    queue.draft("a", first, Draft("一", True))
    queue.draft("a", first + 1, Draft("二半"))
    queue.draft("a", first + 2, Draft("三", True))
    assert [draft.text for draft in queue.drafted("a").drafts] == ["一", "", "三"]
    assert [draft.text for draft in queue.approve("a", 1, "三", ANNA, 2.0).drafts] == ["一", "三"]


def test_the_emergency_does_not_wait_for_the_disk() -> None:
    """Approved words are pending again even where the record refuses."""
    broken = False

    def disk(item: Item, decision: Decision | None) -> None:
        if broken:
            raise OSError("disk full")

    queue = ApprovalQueue(disk)
    for name in "ab":
        queue.open(item(name))
        queue.approve(name, 1, "你好", ANNA, 1.0)
    broken = True
    with pytest.raises(OSError, match="disk full"):
        queue.take_back(2.0, ANNA)
    assert [one.state for one in queue.items()] == [State.PENDING, State.PENDING]


def test_when_the_disk_refuses_nothing_has_changed() -> None:
    """The journal comes first: an approval that is not on record did not happen."""

    def full(item: Item, decision: Decision | None) -> None:
        if decision is not None:
            raise OSError("disk full")

    queue = ApprovalQueue(full)
    before = queue.open(item())
    with pytest.raises(OSError, match="disk full"):
        queue.approve("a", 1, "你好", ANNA, 1.0)
    assert queue["a"] is before


def test_after_a_restart_approved_words_wait_for_a_person_again() -> None:
    """What was on the air is over; what was approved is pending, without its words, under a new revision."""
    approved = item("a", state=State.APPROVED, revision=2, text="你好", by="Anna")
    aired = item("b", state=State.AIRED, revision=3, text="再见", by="Anna", aired=1.0, until=9.0)
    queue = queue_with()
    queue.restore([approved, aired, item("c")], now=5.0)
    assert (queue["a"].state, queue["a"].text, queue["a"].revision) == (State.PENDING, None, 3)
    assert queue["b"].state is State.DONE
    assert queue["c"].state is State.PENDING


def test_a_disk_that_refuses_lets_no_old_approval_in() -> None:
    """Words of an earlier time must not be found approved because their undoing could not be written down."""

    def refuse(item: Item, decision: Decision | None) -> None:
        raise Refused("save_failed", "满了")

    queue = ApprovalQueue(refuse)
    with pytest.raises(Refused):
        queue.restore([item("a"), item("b", state=State.APPROVED, revision=2, text="你好", by="Anna")], now=5.0)
    assert queue.items() == []


@pytest.mark.parametrize("state", [State.PENDING, State.APPROVED, State.AIRED])
def test_nothing_takes_the_place_of_what_is_not_over(state: State) -> None:
    queue = queue_with(item("a"), item("b"))
    queue.reject("b", 1, ANNA, 1.0)
    if state is not State.PENDING:
        queue.approve("a", 1, "你好", ANNA, 1.0)
    if state is State.AIRED:
        queue.air("a", 2.0, 3.0)
    with pytest.raises(Refused) as refusal:
        queue.exchange([])
    assert code(refusal) == "busy" and [one.id for one in queue.items()] == ["a", "b"]


def test_a_card_cannot_be_opened_with_words_in_it() -> None:
    with pytest.raises(ValueError, match="cannot be opened"):
        queue_with(item(state=State.APPROVED, text="你好"))


def test_a_card_whose_message_was_deleted_needs_a_fresh_look() -> None:
    """A click on a screen from before is refused; the viewer's words are quoted no more; a person may still say yes."""
    queue = queue_with(item(quote=Quote("阿强", "你好")))
    after = queue.withdraw("a", 1.0)
    assert (after.withdrawn, after.quote, after.state) == (True, None, State.PENDING)
    with pytest.raises(Refused) as refusal:
        queue.approve("a", 1, "你好", ANNA, 1.0)
    assert code(refusal) == "stale_revision"
    assert queue.approve("a", 2, "你好", ANNA, 2.0).withdrawn


def test_approved_words_wait_again_when_their_message_is_deleted() -> None:
    """On record as undone by nobody, with the words kept as a proposal; even where the disk refuses."""
    decisions: list[Decision | None] = []
    broken = False

    def disk(item: Item, decision: Decision | None) -> None:
        decisions.append(decision)
        if broken:
            raise OSError("disk full")

    queue = ApprovalQueue(disk)
    for name in "ab":
        queue.open(item(name, lifetime=10.0))
        queue.approve(name, 1, "改过的话", ANNA, 1.0)
    after = queue.withdraw("a", 2.0)
    assert (after.state, after.text, after.expires, after.drafts[-1].text) == (State.PENDING, None, 12.0, "改过的话")
    assert decisions[-1] is not None and (decisions[-1].action, decisions[-1].by) == (Action.UNDO, None)
    broken = True
    with pytest.raises(OSError, match="disk full"):
        queue.withdraw("b", 3.0)
    assert queue["b"].state is State.PENDING and queue["b"].withdrawn


class People(RuleBasedStateMachine):
    """Operators with screens of any age, a clock and a show, all at once, on at most two items.

    The model of what is allowed is a set: (item, revision, words) of approvals that a person really gave and nobody
    has taken back. Nothing else may be aired, and nothing may be aired twice.
    """

    screens: Bundle[Item] = Bundle("screens")

    @initialize(target=screens)
    def a_show_begins(self) -> Any:
        self.now = 0.0
        self.standing: dict[str, str] = {}  # item -> words that a person approved and that still stand
        self.aired: list[str] = []
        self.recorded: dict[str, Item] = {}
        self.queue = ApprovalQueue(self.record)
        return multiple(self.queue.open(item("a", lifetime=5.0)), self.queue.open(item("b")))

    def record(self, item: Item, decision: Decision | None) -> None:
        before = self.recorded.get(item.id)
        if decision is not None:
            assert before is not None and TABLE[before.state][decision.action] is item.state
            assert item.revision == before.revision + 1
        self.recorded[item.id] = item

    @rule(target=screens, name=st.sampled_from("ab"))
    def an_operator_looks(self, name: str) -> Item:
        return self.queue[name]

    @rule(name=st.sampled_from("ab"))
    def an_attentive_operator_approves(self, name: str) -> None:
        self.an_operator_approves(self.queue[name], "你好", blocks=[], reason="")

    @rule(
        screen=screens,
        words=st.sampled_from(["你好", "改过的话"]),
        blocks=st.sampled_from([[], [BLOCK], [FIRM], [BLOCK, FIRM]]),
        reason=st.sampled_from(["", " ", "是台词"]),
    )
    def an_operator_approves(self, screen: Item, words: str, blocks: list[Flag], reason: str) -> None:
        blocked = FIRM in blocks or (BLOCK in blocks and not reason.strip())
        current = self.queue[screen.id]
        fresh = current.revision == screen.revision and current.state is State.PENDING
        alive = current.expires is None or self.now < current.expires
        try:
            self.queue.approve(screen.id, screen.revision, words, ANNA, self.now, blocks, override=reason)
        except Refused:
            assert not (fresh and alive and not blocked and not self.queue.paused)
            assert self.queue[screen.id] == current
        else:
            assert fresh and alive and not blocked and not self.queue.paused
            self.standing[screen.id] = words

    @rule(screen=screens, action=st.sampled_from(["reject", "undo", "recall"]))
    def an_operator_decides(self, screen: Item, action: str) -> None:
        current = self.queue[screen.id]
        try:
            getattr(self.queue, action)(screen.id, screen.revision, ANNA, self.now)
        except Refused:
            assert self.queue[screen.id] == current
        else:
            assert screen.revision == current.revision
            self.standing.pop(screen.id, None)

    @rule(name=st.sampled_from("ab"))
    def the_show_airs(self, name: str) -> None:
        before = self.queue[name]
        try:
            reply = self.queue.air(name, self.now, 3.0)
        except Refused:
            assert before.state is not State.APPROVED or self.queue.paused
        else:
            assert not self.queue.paused
            assert reply.text == self.standing.pop(name)
            assert name not in self.aired
            self.aired.append(name)

    @rule(name=st.sampled_from("ab"))
    def the_platform_deletes_the_question(self, name: str) -> None:
        before = self.queue[name]
        if before.state in (*OPEN, State.AIRED):
            after = self.queue.withdraw(name, self.now)
            assert after.withdrawn and after.revision == before.revision + 1
            assert after.state is (State.PENDING if before.state is State.APPROVED else before.state)
            self.standing.pop(name, None)

    @rule(name=st.sampled_from("ab"))
    def somebody_pauses_just_before_the_show_airs(self, name: str) -> None:
        self.queue.paused = True
        self.the_show_airs(name)

    @rule(name=st.sampled_from("ab"))
    def the_time_on_the_air_is_over(self, name: str) -> None:
        if self.queue[name].state is State.AIRED:
            self.queue.finish(name, self.now)

    @rule(name=st.sampled_from("ab"), words=st.text(max_size=5))
    def a_draft_arrives(self, name: str, words: str) -> None:
        before = self.queue[name]
        try:
            first = self.queue.drafting(name, 1, self.now)
            self.queue.draft(name, first, Draft(words, True))
            self.queue.drafted(name)
        except Refused:
            assert before.state is not State.PENDING
        assert self.queue[name].revision == before.revision

    @rule(seconds=st.floats(0.1, 10.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.queue.expire(self.now)

    @rule(paused=st.booleans())
    def somebody_pauses(self, paused: bool) -> None:
        self.queue.paused = paused

    @rule()
    def somebody_stops_everything(self) -> None:
        self.queue.take_back(self.now, ANNA)
        self.standing.clear()

    @rule()
    def the_program_crashes(self) -> None:
        self.queue = ApprovalQueue(self.record)
        self.queue.restore(list(self.recorded.values()), self.now)
        self.standing.clear()

    @rule()
    def another_scenario_is_played_and_then_this_one(self) -> None:
        """Only when all is over; then the cards are as the record has them."""
        before = self.queue.items()
        busy = self.queue.items(State.PENDING, State.APPROVED, State.AIRED)
        try:
            self.queue.exchange([])
        except Refused:
            assert busy and self.queue.items() == before
        else:
            assert not busy and self.queue.items() == []
            self.queue.exchange(self.queue.settled(list(self.recorded.values()), self.now))

    @invariant()
    def approved_is_what_people_approved(self) -> None:
        if hasattr(self, "queue"):
            approved = {one.id: one.text for one in self.queue.items(State.APPROVED)}
            assert approved == self.standing

    @invariant()
    def the_record_is_the_truth(self) -> None:
        if hasattr(self, "queue"):
            for one in self.queue.items():
                assert self.recorded[one.id].state is one.state
                assert self.recorded[one.id].revision == one.revision


TestPeople = People.TestCase
TestPeople.settings = settings(max_examples=400, stateful_step_count=40, deadline=None)
