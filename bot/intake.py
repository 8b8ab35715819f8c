"""The waiting room: which message gets an answer next, and why the others did not. No I/O, no waiting, no clock.

Kept here: every message that is put in is in exactly one place, waiting, taken, or passed over with a reason; and a
message that was paid for never gives way while a plain one waits.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import TypeVar

from bot.letters import visible
from bot.messages import Kind, Message, MessageId, Role, Viewer, Withdrawn

ViewerKey = tuple[str, str]
Key = TypeVar("Key")


class WaitClass(StrEnum):
    """What kind of answer a message calls for; the first class is served first."""

    SUPER_CHAT = "super_chat"
    GUARD = "guard"
    GIFT_TEXT = "gift_text"
    MENTION = "mention"
    QUESTION = "question"
    OTHER = "other"


class PassReason(StrEnum):
    """Why a message was passed over."""

    EXPIRED = "expired"  # nobody came to it in time
    FULL = "full"  # the room is full and it was the one to give way
    COOLDOWN = "cooldown"  # this viewer was answered a moment ago
    DUPLICATE = "duplicate"  # the same viewer has said it, or very many have
    ANSWERED_RECENTLY = "answered_recently"  # the same words were answered in the last ten minutes
    BLOCKED = "blocked"  # held by a check
    SPAM = "spam"  # dropped by a check
    MUTED = "muted"
    NO_TEXT = "no_text"  # nothing to answer
    WITHDRAWN = "withdrawn"  # the platform has deleted it
    OPERATOR_DROPPED = "operator_dropped"


class Why(StrEnum):
    """What made a score."""

    QUESTION = "question"
    MENTION = "mention"
    PAID = "paid"
    MODERATOR = "moderator"
    MEMBER = "member"
    NEW_VIEWER = "new_viewer"
    MANY_ASK = "many_ask"
    JUST_CHOSEN = "just_chosen"
    LONG = "long"
    LINK = "link"
    OPERATOR = "operator"


POINTS: Mapping[Why, float] = {
    Why.QUESTION: 0.25,
    Why.MENTION: 0.20,
    Why.PAID: 0.20,
    Why.NEW_VIEWER: 0.15,
    Why.MANY_ASK: 0.15,
    Why.MODERATOR: 0.12,
    Why.MEMBER: 0.06,
    Why.LINK: -0.15,
    Why.LONG: -0.20,
    Why.JUST_CHOSEN: -0.25,
    Why.OPERATOR: 1.0,
}
FRESH_POINTS, FRESH_SECONDS = 0.05, 60.0

# Seconds that a message of each class may wait.
EXPIRY: Mapping[WaitClass, float] = {
    WaitClass.SUPER_CHAT: 300.0,
    WaitClass.GUARD: 600.0,
    WaitClass.GIFT_TEXT: 120.0,
    WaitClass.MENTION: 60.0,
    WaitClass.QUESTION: 60.0,
    WaitClass.OTHER: 45.0,
}
ANSWERED_SECONDS = 600.0
JUST_CHOSEN_SECONDS = 60.0
MOST_OTHERS = 50  # more who ask the same are passed over as duplicates
LONG_TEXT = 180

_QUESTION = re.compile(
    r"[?？]|[吗呢]\s*[~。.！!]*$|什么|怎么|为什么|为啥|干嘛|多少|如何|是不是|有没有|能不能|可不可以|要不要|会不会|哪[里儿个些]|啥|咋|谁"
    r"|\b(?:what|how|why|when|where|who|which|can you|do you|are you|will you)\b",
    re.IGNORECASE,
)
_LINK = re.compile(r"https?:|www\.|\.(?:com|cn|net|top)\b", re.IGNORECASE)
_SOFT_ENDING = re.compile("[啊呀呢哦喔哈嘛啦]+$")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message in the room, with those of other viewers who say the same. `since`, `expires`: unix seconds.

    `plain` and `gives_way` follow from the rest and are kept, because every message that comes in is compared with all.
    """

    message: Message
    klass: WaitClass
    since: float
    expires: float
    others: tuple[Message, ...] = ()
    score: float = 0.0
    reasons: tuple[Why, ...] = ()
    plain: str | None = field(init=False, repr=False, compare=False)  # None for a paid one: it joins nobody
    gives_way: tuple[bool, int, int, float] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "plain", None if self.paid else _plain(self.message.text))
        object.__setattr__(self, "gives_way", _gives_way(self))

    @property
    def messages(self) -> tuple[Message, ...]:
        return self.message, *self.others

    @property
    def paid(self) -> bool:
        return self.message.paid


@dataclass(frozen=True, slots=True)
class Passed:
    """A message that gets no answer unless an operator asks for one."""

    message: Message
    reason: PassReason
    time: float


class Intake:
    """`limit`: how many may wait. `cooldown`: seconds in which a viewer who was answered is passed over. `expiry`:
    seconds by class, over the defaults. `names`: what the character is called. `keep`: how many passed over are kept;
    the oldest give way."""

    def __init__(
        self,
        limit: int = 200,
        cooldown: float = 20.0,
        expiry: Mapping[WaitClass, float] | None = None,
        names: Iterable[str] = (),
        keep: int = 200,
    ) -> None:
        self._limit = limit
        self._cooldown = cooldown
        self._expiry = {**EXPIRY, **(expiry or {})}
        self.call(names)
        self._waiting: dict[MessageId, Waiting] = {}  # by the id of the first message, oldest first
        self._first_to_expire = math.inf  # nobody's time is over before
        self._passed: deque[Passed] = deque(maxlen=keep)
        self._news: deque[Passed] = deque(maxlen=keep)
        self._answered: dict[ViewerKey, float] = {}
        self._answered_texts: dict[str, float] = {}
        self._chosen: dict[ViewerKey, float] = {}
        self._seen: dict[MessageId, None] = {}

    def call(self, names: Iterable[str]) -> None:
        """What the character is called from now on."""
        self._names = tuple(plain for name in (*names, "主播") if (plain := _plain(name)))

    # ---- in -------------------------------------------------------------------------------------------------------

    def put(self, message: Message, now: float, findings_hold: bool = False) -> bool:
        """A message comes in. One that was put in before (a platform may repeat itself) changes nothing: False."""
        if not self._first_time(message):
            return False
        self._expire(now)
        reason = PassReason.BLOCKED if findings_hold else self._reason_to_pass(message, now)
        if reason is not None:
            self._pass(message, reason, now)
        elif not message.paid and (same := self._same(message)) is not None:
            self._join(same, message, now)
        else:
            self._admit(message, now)
        return True

    def release(self, message: Message, now: float) -> None:
        """A message that was passed over waits after all: a person says so."""
        self._forget_passed(message)
        self._admit(message, now)

    def dismiss(self, message: Message, now: float) -> None:
        """A message that a check had held: a person agrees."""
        self._forget_passed(message)
        self._pass(message, PassReason.OPERATOR_DROPPED, now)

    def _forget_passed(self, message: Message) -> None:
        for one in [one for one in self._passed if one.message.id == message.id]:
            self._passed.remove(one)

    def pass_over(self, message: Message, reason: PassReason, now: float) -> None:
        """A message that is not to wait, for a reason that others know."""
        if self._first_time(message):
            self._pass(message, reason, now)

    def _first_time(self, message: Message) -> bool:
        if message.id in self._seen:
            return False
        self._seen[message.id] = None
        if len(self._seen) > 20 * self._limit + 1000:
            del self._seen[next(iter(self._seen))]
        return True

    def _reason_to_pass(self, message: Message, now: float) -> PassReason | None:
        if message.paid:
            return None
        if not visible(message.text):
            return PassReason.NO_TEXT
        if self._resting(message.viewer, now):
            return PassReason.COOLDOWN
        return PassReason.ANSWERED_RECENTLY if self._answered_lately(message, now) else None

    def _same(self, message: Message) -> Waiting | None:
        """The plain one in the room that says the same."""
        text = _plain(message.text)
        return next((one for one in self._waiting.values() if one.plain is not None and _alike(one.plain, text)), None)

    def _join(self, one: Waiting, message: Message, now: float) -> None:
        said_it = {other.viewer.key for other in one.messages if other.viewer.known}
        if message.viewer.key in said_it or len(one.others) >= MOST_OTHERS:
            self._pass(message, PassReason.DUPLICATE, now)
        else:
            self._waiting[one.message.id] = replace(one, others=(*one.others, message))

    def _admit(self, message: Message, now: float) -> None:
        klass = self._class(message)
        one = Waiting(message, klass, now, now + self._expiry[klass])
        self._waiting[message.id] = one
        self._first_to_expire = min(self._first_to_expire, one.expires)
        if len(self._waiting) > self._limit:
            self._leave(max(self._waiting.values(), key=attrgetter("gives_way")), PassReason.FULL, now)

    def _class(self, message: Message) -> WaitClass:
        if message.kind is Kind.SUPER_CHAT:
            return WaitClass.SUPER_CHAT
        if message.kind is Kind.GUARD:
            return WaitClass.GUARD
        if message.kind is Kind.GIFT or message.paid:
            return WaitClass.GIFT_TEXT
        text = _plain(message.text)
        if any(name in text for name in self._names):
            return WaitClass.MENTION
        return WaitClass.QUESTION if _QUESTION.search(message.text) else WaitClass.OTHER

    # ---- out ------------------------------------------------------------------------------------------------------

    def next(self, now: float) -> Waiting | None:
        """Takes the one that should be answered next, or None when nobody waits."""
        first = next(iter(self.waiting(now)), None)
        return self.take(first.message.id, now) if first else None

    def take(self, message_id: str, now: float) -> Waiting | None:
        """Takes this message, with all who say the same, out of the room, or out of those passed over."""
        self._expire(now)
        for one in self._waiting.values():
            if any(message.id == message_id for message in one.messages):
                taken = self._scored(self._waiting.pop(one.message.id), now)
                if taken.message.viewer.known:
                    _remember(self._chosen, taken.message.viewer.key, now, JUST_CHOSEN_SECONDS)
                return taken
        return self._take_passed(message_id, now)

    def _take_passed(self, message_id: str, now: float) -> Waiting | None:
        for one in self._passed:
            if one.message.id == message_id and one.reason is not PassReason.WITHDRAWN:
                self._passed.remove(one)
                klass = self._class(one.message)
                return Waiting(one.message, klass, now, now + self._expiry[klass], score=1.0, reasons=(Why.OPERATOR,))
        return None

    def answered(self, message: Message, now: float) -> None:
        """This message's answer was published: its viewer rests, and the same words are not answered again soon."""
        if message.viewer.known:
            _remember(self._answered, message.viewer.key, now, ANSWERED_SECONDS)
        _remember(self._answered_texts, _plain(message.text), now, ANSWERED_SECONDS)
        self._leave_all(PassReason.COOLDOWN, now, lambda one: not one.paid and self._resting(one.message.viewer, now))

    def mute(self, viewer: Viewer, now: float) -> None:
        """What this viewer has asked, and not paid for, waits no longer."""
        self._leave_all(PassReason.MUTED, now, lambda one: not one.paid and one.message.viewer.key == viewer.key)

    def drop_all(self, now: float, reason: PassReason = PassReason.OPERATOR_DROPPED) -> None:
        self._leave_all(reason, now, lambda one: True)

    def withdraw(self, event: Withdrawn, now: float) -> None:
        """The platform has taken messages back: they are passed over, and those who said the same go on waiting."""
        for one in [one for one in self._waiting.values() if any(map(event.covers, one.messages))]:
            self._keep_the_rest(one, event, now)
        gone = [passed for passed in self._passed if event.covers(passed.message)]
        for passed in gone:
            self._passed.remove(passed)
        for passed in gone:
            self._pass(passed.message, PassReason.WITHDRAWN, now)

    def _keep_the_rest(self, one: Waiting, event: Withdrawn, now: float) -> None:
        rest = [message for message in one.messages if not event.covers(message)]
        after = [replace(one, message=rest[0], others=tuple(rest[1:]))] if rest else []
        # Rebuilt, because the key may change: who waits longest stays first.
        rows = [row for old in self._waiting.values() for row in (after if old is one else [old])]
        self._waiting = {row.message.id: row for row in rows}
        for message in filter(event.covers, one.messages):
            self._pass(message, PassReason.WITHDRAWN, now)

    # ---- to look at -----------------------------------------------------------------------------------------------

    def waiting(self, now: float) -> list[Waiting]:
        """Those in the room, the next one first."""
        self._expire(now)
        return sorted((self._scored(one, now) for one in self._waiting.values()), key=_order)

    @property
    def passed(self) -> tuple[Passed, ...]:
        """Those passed over, newest last."""
        return tuple(self._passed)

    def newly_passed(self) -> list[Passed]:
        """Those passed over since this was last asked."""
        news = list(self._news)
        self._news.clear()
        return news

    # ---- rules ----------------------------------------------------------------------------------------------------

    def _expire(self, now: float) -> None:
        if now >= self._first_to_expire:
            self._leave_all(PassReason.EXPIRED, now, lambda one: one.expires <= now)
            self._first_to_expire = min((one.expires for one in self._waiting.values()), default=math.inf)

    def _leave_all(self, reason: PassReason, now: float, leaves: Callable[[Waiting], bool]) -> None:
        for one in [one for one in self._waiting.values() if leaves(one)]:
            self._leave(one, reason, now)

    def _leave(self, one: Waiting, reason: PassReason, now: float) -> None:
        del self._waiting[one.message.id]
        for message in one.messages:
            self._pass(message, reason, now)

    def _pass(self, message: Message, reason: PassReason, now: float) -> None:
        passed = Passed(message, reason, now)
        self._passed.append(passed)
        self._news.append(passed)

    def _resting(self, viewer: Viewer, now: float) -> bool:
        return now - self._answered.get(viewer.key, -math.inf) < self._cooldown

    def _answered_lately(self, message: Message, now: float) -> bool:
        text = _plain(message.text)
        return any(
            now - then < ANSWERED_SECONDS and _alike(text, other) for other, then in self._answered_texts.items()
        )

    def _scored(self, one: Waiting, now: float) -> Waiting:
        reasons = tuple(self._reasons(one, now))
        fresh = FRESH_POINTS * max(0.0, 1.0 - max(0.0, now - one.since) / FRESH_SECONDS)
        return replace(one, score=sum(POINTS[why] for why in reasons) + fresh, reasons=reasons)

    def _reasons(self, one: Waiting, now: float) -> Iterable[Why]:
        viewer = one.message.viewer
        facts = {
            Why.PAID: one.paid,
            Why.MENTION: one.klass is WaitClass.MENTION,
            Why.MANY_ASK: bool(one.others),
            Why.MODERATOR: bool(viewer.roles & {Role.MODERATOR, Role.STREAMER}),
            Why.MEMBER: bool(viewer.roles & {Role.MEMBER, Role.GUARD}),
            Why.NEW_VIEWER: viewer.known and now - self._answered.get(viewer.key, -math.inf) >= ANSWERED_SECONDS,
            Why.JUST_CHOSEN: now - self._chosen.get(viewer.key, -math.inf) < JUST_CHOSEN_SECONDS,
        }
        return (*_in_the_words(one.message.text), *(why for why, true in facts.items() if true))


def _remember(memory: dict[Key, float], key: Key, now: float, seconds: float) -> None:
    """Notes the time for `key`, and forgets what is older than `seconds`."""
    for old in [old for old, then in memory.items() if now - then >= seconds]:
        del memory[old]
    memory[key] = now


@lru_cache(maxsize=2048)
def _in_the_words(text: str) -> tuple[Why, ...]:
    """What a text alone says for or against it."""
    facts = {
        Why.QUESTION: bool(_QUESTION.search(text)),
        Why.LONG: len(text) > LONG_TEXT,
        Why.LINK: bool(_LINK.search(text)),
    }
    return tuple(why for why, true in facts.items() if true)


def _gives_way(one: Waiting) -> tuple[bool, int, int, float]:
    """The greatest gives way first: plain before paid, then the lowest class, the fewest who ask, the oldest."""
    return not one.paid, _rank(one.klass), -len(one.others), -one.since


def _order(one: Waiting) -> tuple[int, float, float]:
    """By class; in it what was paid for by age, the rest by score."""
    return _rank(one.klass), 0.0 if one.paid else -one.score, one.since


_RANKS = {klass: rank for rank, klass in enumerate(WaitClass)}


def _rank(klass: WaitClass) -> int:
    return _RANKS[klass]


@lru_cache(maxsize=2048)
def _plain(text: str) -> str:
    """A text to compare: one width and case, no punctuation, runs of a letter cut to two, no soft ending."""
    folded = unicodedata.normalize("NFKC", text[:200]).casefold()
    letters = "".join(letter for letter in folded if letter.isalnum()) or "".join(folded.split())
    short = re.sub(r"(\D)\1{2,}", r"\1\1", letters)
    return _SOFT_ENDING.sub("", short) or short


def _alike(one: str, other: str) -> bool:
    """Equal, or, from six letters on, nearly: four fifths of all pairs of neighbours are shared, and every digit."""
    if one == other:
        return True
    if min(len(one), len(other)) < 6 or len(one) * 2 < len(other) or len(other) * 2 < len(one):
        return False
    (pairs, digits), (other_pairs, other_digits) = _fingerprint(one), _fingerprint(other)
    return digits == other_digits and len(pairs & other_pairs) >= 0.8 * len(pairs | other_pairs)


@lru_cache(maxsize=2048)
def _fingerprint(text: str) -> tuple[frozenset[str], str]:
    """What is compared of a text: its pairs of neighbours, and its digits."""
    return frozenset(text[place : place + 2] for place in range(len(text) - 1)), "".join(re.findall(r"\d", text))
