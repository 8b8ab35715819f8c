"""The approval queue: what waits for a person, what a person may do with it, and the only place that makes an Approved.

No I/O, no clock, no await: every method runs to its end before anything else can happen, and `now` is an argument.
Each change is handed to the journal before it takes effect; if the journal raises, nothing has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import InitVar, dataclass, replace
from enum import StrEnum
from typing import Any, NewType, NoReturn, final

from bot.errors import Refused as Refused
from bot.messages import Message, MessageId

ItemId = NewType("ItemId", str)


class State(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    AIRED = "aired"
    DONE = "done"
    REJECTED = "rejected"
    EXPIRED = "expired"
    RECALLED = "recalled"


class Action(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    EXPIRE = "expire"
    AIR = "air"
    UNDO = "undo"
    RECALL = "recall"
    FINISH = "finish"


# The whole machine. What is not in this table cannot happen; a test writes it out once more.
TABLE: dict[State, dict[Action, State]] = {
    State.PENDING: {
        Action.APPROVE: State.APPROVED,
        Action.REJECT: State.REJECTED,
        Action.EXPIRE: State.EXPIRED,
    },
    State.APPROVED: {Action.AIR: State.AIRED, Action.UNDO: State.PENDING},
    State.AIRED: {Action.RECALL: State.RECALLED, Action.FINISH: State.DONE},
    State.REJECTED: {Action.UNDO: State.PENDING},
    State.EXPIRED: {Action.UNDO: State.PENDING},
    State.RECALLED: {},
    State.DONE: {},
}
OPEN = frozenset({State.PENDING, State.APPROVED})
PUBLISHED = frozenset({State.AIRED, State.DONE})


@dataclass(frozen=True, slots=True)
class Operator:
    """A person who has signed in at the panel. Only bot/web/auth.py makes one."""

    name: str


@dataclass(frozen=True, slots=True)
class Flag:
    """A place in a text that a person should look at. `level` is "flag" or "block"; positions count characters.

    `source`: the list or model that it comes from. `firm`: no reason that a person gives lets these words through.
    """

    start: int
    end: int
    rule: str
    level: str
    reason: str
    category: str = ""
    source: str = ""
    firm: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """One proposal. `by_person`: words that a person had approved and then took back, kept to go on from. `checked`:
    the versions of the lists and models that it was checked with."""

    text: str = ""
    done: bool = False
    flags: tuple[Flag, ...] = ()
    by_person: bool = False
    checked: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """The viewer's words as the overlay will show them beside the reply: cleaned, and shown on the card too."""

    viewer: str
    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """One card at the panel.

    `revision` rises with every change of state and when its message is taken back (`withdrawn`: the platform has deleted
    it), never with a draft that arrives. `lifetime` is in seconds (None: it
    waits for ever), `expires` the moment that follows from it. `text` are the approved words. `reasons` say why this
    message was chosen; `findings` what the checks found in the message, and `screened` what it was checked with; `flags`
    and `checked` say the same of the approved words. `override` is why a person let words through that a check had
    blocked; "" where nothing had to be let through.
    """

    id: ItemId
    created: float
    character: str
    revision: int = 1
    state: State = State.PENDING
    lifetime: float | None = None
    expires: float | None = None
    message: Message | None = None
    merged: tuple[Message, ...] = ()
    quote: Quote | None = None
    wait_class: str = ""
    reasons: tuple[str, ...] = ()
    findings: tuple[Flag, ...] = ()
    withdrawn: bool = False
    drafts: tuple[Draft, ...] = ()
    drafting: bool = False
    error: str | None = None
    text: str | None = None
    flags: tuple[Flag, ...] = ()
    screened: str = ""
    checked: str = ""
    override: str = ""
    by: str | None = None
    decided: float | None = None
    aired: float | None = None
    until: float | None = None

    @property
    def edited(self) -> bool:
        """Whether the approved words are a person's: different from every draft of the model."""
        return self.text is not None and all(draft.by_person or draft.text != self.text for draft in self.drafts)


@dataclass(frozen=True, slots=True)
class Decision:
    """One line of the record: who did what, when. `by` None means the clock did it. `override` and `checked` are those
    of the words that were approved."""

    action: Action
    at: float
    by: str | None
    text: str | None = None
    override: str = ""
    checked: str = ""


Journal = Callable[[Item, Decision | None], None]
_MINT = object()


@final
@dataclass(frozen=True, slots=True)
class Approved:
    """Words that a person has approved, on their way to the audience. Only the queue makes one, in `air`.

    `asked` is the message that they answer; None: nobody's.
    """

    id: ItemId
    text: str
    character: str
    quote: Quote | None
    asked: MessageId | None
    by: str
    seconds: float
    mint: InitVar[object]

    def __post_init__(self, mint: object) -> None:
        if mint is not _MINT:
            raise TypeError("only ApprovalQueue.air makes an Approved")

    def __init_subclass__(cls) -> NoReturn:
        raise TypeError("Approved cannot be subclassed")

    def __reduce__(self) -> NoReturn:
        raise TypeError("an Approved is never written down: after a restart a person decides again")


class ApprovalQueue:
    """Items and their states. The only way from PENDING to the audience leads through a person's `approve`."""

    def __init__(self, journal: Journal, *, max_text: int = 200) -> None:
        self._journal = journal
        self._max_text = max_text
        self._items: dict[ItemId, Item] = {}
        self.paused = False

    # -- reading ---------------------------------------------------------------------------------------------------

    def __getitem__(self, item_id: str) -> Item:
        item = self._items.get(ItemId(item_id))
        if item is None:
            raise Refused(
                "not_found", f"没有这一条（{item_id}），页面可能太旧了，请刷新。 No such item; reload the page."
            )
        return item

    def items(self, *states: State) -> list[Item]:
        """Oldest first; of all states when none is named."""
        return [item for item in self._items.values() if not states or item.state in states]

    def check(self, item_id: str, revision: int, action: Action, now: float) -> Item:
        """Raise Refused where `action` is not possible for a person who has seen this revision."""
        item = self[item_id]
        if revision != item.revision:
            raise Refused("stale_revision", _stale(item))
        if action not in TABLE[item.state]:
            raise Refused("wrong_state", f"{_stale(item)} 不能再执行“{action}”。")
        if action is Action.APPROVE and item.expires is not None and now >= item.expires:
            raise Refused("expired", "这一条已过期，没有播出。 It has expired; nothing was shown.")
        if action is Action.APPROVE and self.paused:
            raise Refused("paused", "暂停中，认可无效。请先恢复。 Paused: resume first, then approve.")
        return item

    # -- what a person does ----------------------------------------------------------------------------------------

    def approve(
        self,
        item_id: str,
        revision: int,
        text: str,
        by: Operator,
        now: float,
        flags: Iterable[Flag] = (),
        *,
        override: str = "",
        checked: str = "",
    ) -> Item:
        """A person says yes to exactly these words. `override`: why they are let through although a check blocks them,
        which a firm block does not heed."""
        item = self.check(item_id, revision, Action.APPROVE, now)
        self._check_words(text)
        flags = tuple(flags)
        blocks = [flag for flag in flags if flag.level == "block"]
        _check_blocks(blocks, override.strip())
        reason = override.strip() if blocks else ""
        changes: dict[str, Any] = {
            "text": text,
            "flags": flags,
            "checked": checked,
            "override": reason,
            "expires": None,
        }
        return self._move(item, Action.APPROVE, now, by, **changes)

    def reject(self, item_id: str, revision: int, by: Operator, now: float) -> Item:
        item = self.check(item_id, revision, Action.REJECT, now)
        return self._move(item, Action.REJECT, now, by)

    def undo(self, item_id: str, revision: int, by: Operator, now: float) -> Item:
        """Back to PENDING with a fresh lifetime, whatever the decision was."""
        item = self.check(item_id, revision, Action.UNDO, now)
        return self._back_to_pending(item, now, by)

    def recall(self, item_id: str, revision: int, by: Operator, now: float) -> Item:
        item = self.check(item_id, revision, Action.RECALL, now)
        return self._move(item, Action.RECALL, now, by, until=now)

    # -- what the show does ----------------------------------------------------------------------------------------

    def open(self, item: Item) -> Item:
        """A new card. It can only begin as PENDING, without words."""
        if item.state is not State.PENDING or item.text is not None or item.id in self._items:
            raise ValueError(f"item {item.id} cannot be opened: {item.state}")
        return self._store(replace(item, expires=_end(item, item.created)), None)

    def restore(self, items: Iterable[Item], now: float) -> None:
        """Items from the disk after a restart, as `settled` makes them."""
        self.exchange(self.settled(items, now))

    def settled(self, items: Iterable[Item], now: float) -> list[Item]:
        """Items of an earlier time as they can stand here: approved words that were not aired need a person again; what
        was on the air is over. On record when this returns, and nothing here has changed yet."""
        return [self._settled(item, now) for item in items]

    def check_quiet(self) -> None:
        """Raise Refused while anything waits for a person, is on its way to the air, or is on it."""
        if busy := self.items(State.PENDING, State.APPROVED, State.AIRED):
            raise Refused(
                "busy",
                f"还有 {len(busy)} 条未决、待播或正在播出。请先决定完、等它播完。"
                f" {len(busy)} cards are undecided, approved or on the air: decide them first.",
            )

    def exchange(self, items: Iterable[Item]) -> None:
        """Other items in place of those that are here, which are all over. Raises Refused, and nothing has changed."""
        self.check_quiet()
        self._items = {item.id: item for item in items}

    def air(self, item_id: str, now: float, seconds: float) -> Approved:
        """Mint the words of an approved item, for `seconds` on the air. They are on record before this returns."""
        item = self[item_id]
        if self.paused:
            raise Refused("paused", "暂停中，不播出。 Paused.")
        if Action.AIR not in TABLE[item.state] or item.text is None or item.by is None:
            raise Refused("wrong_state", _stale(item))
        self._move(item, Action.AIR, now, None, aired=now, until=now + seconds)
        asked = item.message.id if item.message else None
        return Approved(item.id, item.text, item.character, item.quote, asked, item.by, seconds, mint=_MINT)

    def finish(self, item_id: str, now: float) -> Item:
        item = self[item_id]
        return self._move(item, Action.FINISH, now, None, until=now)

    def expire(self, now: float) -> list[Item]:
        """Every pending item whose time has passed."""
        due = [item for item in self.items(State.PENDING) if item.expires is not None and now >= item.expires]
        return [self._move(item, Action.EXPIRE, now, None) for item in due]

    def take_back(self, now: float, by: Operator) -> list[Item]:
        """Emergency: whatever was approved and has not been aired waits for a person again.

        Here and in `withdraw`, and nowhere else, the record comes second: a disk that refuses must not keep words on
        their way to the air. A restart in between makes them pending as well.
        """
        taken = [replace(self._pending(item, now), by=by.name, decided=now) for item in self.items(State.APPROVED)]
        self._items |= {item.id: item for item in taken}
        for item in taken:
            self._journal(item, Decision(Action.UNDO, now, by.name))
        return taken

    def withdraw(self, item_id: str, now: float) -> Item:
        """The platform has deleted the message that this card answers: a person looks again before anything is aired.

        What was approved and has not been aired is pending again; a click on a screen that does not show it yet is
        refused; the viewer's words are quoted no more. As in `take_back`, the record comes second.
        """
        item = self[item_id]
        undone = item.state is State.APPROVED
        after = self._pending(item, now) if undone else replace(item, revision=item.revision + 1)
        self._items[item.id] = after = replace(after, withdrawn=True, quote=None)
        self._journal(after, Decision(Action.UNDO, now, None) if undone else None)
        return after

    def drafting(self, item_id: str, count: int, now: float) -> int:
        """`count` more drafts are being written for a pending item, which gets a fresh lifetime; where they begin."""
        item = self._pending_item(item_id)
        drafts = (*item.drafts, *(Draft() for _ in range(count)))
        self._items[item.id] = replace(item, drafts=drafts, drafting=True, error=None, expires=_end(item, now))
        return len(item.drafts)

    def draft(self, item_id: str, index: int, draft: Draft) -> Item:
        """A draft has grown or is finished. Does not raise the revision: a click on the card stays good."""
        item = self._pending_item(item_id)
        drafts = (*item.drafts[:index], draft, *item.drafts[index + 1 :])
        self._items[item.id] = item = replace(item, drafts=drafts)
        return item

    def drafted(self, item_id: str, error: str | None = None) -> Item:
        """No more drafts are coming. What was left unfinished becomes empty: half a sentence is not a proposal, and
        the others keep their numbers under the operator's fingers."""
        item = self._pending_item(item_id)
        drafts = tuple(draft if draft.done else Draft() for draft in item.drafts)
        if not any(draft.done for draft in drafts):
            drafts = ()
        return self._store(replace(item, drafts=drafts, drafting=False, error=error), None)

    def forget(self, keep: int) -> None:
        """Let go of the oldest closed items beyond `keep`: they are on disk."""
        closed = [item.id for item in self._items.values() if item.state not in OPEN and item.state != State.AIRED]
        for item_id in closed[: max(0, len(closed) - keep)]:
            del self._items[item_id]

    # -- one way in for every change -------------------------------------------------------------------------------

    def _move(self, item: Item, action: Action, now: float, by: Operator | None, **changes: Any) -> Item:
        state = TABLE[item.state].get(action)
        if state is None:
            raise Refused("wrong_state", _stale(item))
        if by is not None:
            changes |= {"by": by.name, "decided": now}
        drafts = _finished(item)
        after = replace(item, state=state, revision=item.revision + 1, drafts=drafts, drafting=False, **changes)
        checks = (after.override, after.checked) if action is Action.APPROVE else ("", "")
        return self._store(after, Decision(action, now, by.name if by else None, after.text, *checks))

    def _settled(self, item: Item, now: float) -> Item:
        item = replace(item, drafts=_finished(item), drafting=False)
        if item.state is State.APPROVED:
            item = self._pending(item, now)
            self._journal(item, Decision(Action.UNDO, now, None))
        elif item.state is State.AIRED:
            item = replace(item, state=State.DONE, revision=item.revision + 1, until=now)
            self._journal(item, Decision(Action.FINISH, now, None, item.text))
        return item

    def _store(self, item: Item, decision: Decision | None) -> Item:
        self._journal(item, decision)
        self._items[item.id] = item
        return item

    def _back_to_pending(self, item: Item, now: float, by: Operator) -> Item:
        after = replace(self._pending(item, now), by=by.name, decided=now)
        return self._store(after, Decision(Action.UNDO, now, by.name))

    def _pending(self, item: Item, now: float) -> Item:
        drafts = item.drafts
        if item.text is not None and all(draft.text != item.text for draft in drafts):
            drafts = (*drafts, Draft(item.text, done=True, flags=item.flags, by_person=True, checked=item.checked))
        return replace(
            item, state=State.PENDING, revision=item.revision + 1, text=None, flags=(), checked="", override="", by=None,
            decided=None, drafts=drafts, expires=_end(item, now),
        )  # fmt: skip

    def _pending_item(self, item_id: str) -> Item:
        item = self[item_id]
        if item.state is not State.PENDING:
            raise Refused("wrong_state", _stale(item))
        return item

    def _check_words(self, text: str) -> None:
        if not text.strip():
            raise Refused("empty", "没有文字可以播出。 There are no words to show.")
        if len(text) > self._max_text:
            raise Refused(
                "too_long",
                f"太长：{len(text)} 字，最多 {self._max_text} 字。请删短。 Too long: {len(text)} of {self._max_text}.",
            )


MOST_REASON = 200


def _check_blocks(blocks: list[Flag], override: str) -> None:
    """Raise Refused where words are blocked, unless none of the blocks is firm and somebody says why."""
    reasons = "；".join(dict.fromkeys(flag.reason for flag in blocks))
    if any(flag.firm for flag in blocks):
        raise Refused(
            "blocked", f"这段话不能播出：{reasons}。只能改。 Blocked for good: only other words can be approved."
        )
    if blocks and not override:
        raise Refused(
            "blocked",
            f"这段话被拦下：{reasons}。请改后再认可，或写明理由放行。 Blocked: edit it, or give a reason to let it through.",
        )
    if len(override) > MOST_REASON:
        raise Refused("too_long", f"理由太长：{len(override)} 字，最多 {MOST_REASON} 字。 The reason is too long.")


def _finished(item: Item) -> tuple[Draft, ...]:
    return tuple(draft for draft in item.drafts if draft.done)


def _end(item: Item, now: float) -> float | None:
    return None if item.lifetime is None else now + item.lifetime


_SEEN_AS = {
    State.PENDING: "仍在等待",
    State.APPROVED: "已被认可",
    State.AIRED: "已在播出",
    State.DONE: "已播完",
    State.REJECTED: "已被丢弃",
    State.EXPIRED: "已过期",
    State.RECALLED: "已被撤回",
}


def _stale(item: Item) -> str:
    who = f"（{item.by}）" if item.by else ""
    return f"这一条已变化：{_SEEN_AS[item.state]}{who}，你的点击没有生效。 It has changed: now {item.state}."
