"""From the lines of a Twitch chat to messages, each thing once. Remembers what has to be told apart; no I/O, no clock.

Tags: https://dev.twitch.tv/docs/chat/irc/ . In a shared chat a message comes to every room that takes part, with an id of
its own in each; `source-id` is the same everywhere, so it is what the message is known by.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from enum import StrEnum
from hashlib import blake2b
from typing import Literal

from adapters.base import Seen
from adapters.fields import NAME_LENGTH, seconds, text, whole
from adapters.money import yuan
from adapters.twitch.irc import Line
from bot.messages import Event, Kind, Message, MessageId, Role, Viewer, Withdrawn

PLATFORM = "twitch"
SharedChat = Literal["mark", "drop"]

# What the audience pays, in dollars, about; in yuan it is an estimate for sorting (adapters/money.py). A bit is a cent,
# which is what the streamer gets for it. A Prime subscription costs the viewer nothing and is worth one of tier 1.
BIT = 0.01
TIERS = {"1000": ("Tier 1", 5.0), "2000": ("Tier 2", 10.0), "3000": ("Tier 3", 25.0), "Prime": ("Prime", 5.0)}

ROLES = {
    "broadcaster": Role.STREAMER,
    "moderator": Role.MODERATOR,
    "lead_moderator": Role.MODERATOR,
    "subscriber": Role.MEMBER,
    "founder": Role.MEMBER,
}
SUBSCRIBED = {"sub": "订阅", "resub": "续订"}
UPGRADED = frozenset({"giftpaidupgrade", "anongiftpaidupgrade", "primepaidupgrade"})  # goes on, and pays from now on
GIVEN = frozenset({"subgift", "anonsubgift"})
GIVEN_TO_MANY = frozenset({"submysterygift", "anonsubmysterygift"})
SPOKEN = frozenset({"announcement", "ritual", "viewermilestone"})  # what a viewer says beside it is a plain message
ANONYMOUS = frozenset({"anonsubgift", "anonsubmysterygift"})  # told in the streamer's own name
NOBODY = "274598607"  # the account AnAnonymousGifter: all who gave without a name
NO_ORIGIN = "da39a3ee5e6b4b0d3255bfef95601890afd80709"  # SHA-1 of nothing: stands where a gift is none of many
OTHER_LINES = frozenset({
    "CAP", "NOTICE", "PING", "PONG", "RECONNECT", "JOIN", "PART", "ROOMSTATE", "USERSTATE", "GLOBALUSERSTATE",
    "HOSTTARGET", "WHISPER",
})  # fmt: skip
FOREIGN_NAMES = 1000  # messages of other rooms whose own ids are remembered
ACTION = "\x01ACTION "


class Reason(StrEnum):
    """Why a line brings no message."""

    NOT_CHAT = "not_chat"  # a line that we know, about something else
    UNKNOWN = "unknown"  # a line that we do not know
    BROKEN = "broken"  # nothing of use can be read
    NO_TEXT = "no_text"
    COUNTED = "counted"  # a single one of gifts that were told together
    OTHER_ROOM = "other_room"  # of a shared chat, and the settings leave it out; or a deed in another room


class Reader:
    """One channel."""

    def __init__(self, shared_chat: SharedChat = "mark") -> None:
        self._shared_chat = shared_chat
        self._given = Seen()  # gifts to many that were told
        self._foreign: OrderedDict[str, str] = OrderedDict()  # a message's id in our room: what it is known by

    def read(self, line: Line, now: float) -> Event | Reason:
        """What this line brings. `now` in seconds since 1970."""
        match line.command:
            case "PRIVMSG":
                return self._spoken(line, now)
            case "USERNOTICE":
                return self._done(line, now)
            case "CLEARMSG":
                return self._deleted(line)
            case "CLEARCHAT":
                return _cleared(line)
        known = line.command in OTHER_LINES or line.command.isdigit()
        return Reason.NOT_CHAT if known else Reason.UNKNOWN

    def _spoken(self, line: Line, now: float) -> Event | Reason:
        tags, words = line.tags, _plain(line.words)
        if len(line.params) < 2:
            return Reason.BROKEN
        if not words.strip():
            return Reason.NO_TEXT
        if _foreign(tags) and self._shared_chat == "drop":
            return Reason.OTHER_ROOM
        return self._message(line, Kind.DANMAKU, words, now, yuan(_count(tags, "bits") * BIT, "USD"))

    def _done(self, line: Line, now: float) -> Event | Reason:
        """A deed: a subscription, gifts, a raid. One in another room of a shared chat is not for us."""
        tags = line.tags
        if _foreign(tags):
            return Reason.OTHER_ROOM
        deed, words = tags.get("msg-id", ""), _plain(line.words).strip()
        tier, price = TIERS.get(tags.get("msg-param-sub-plan", ""), TIERS["1000"])
        if deed in SUBSCRIBED:
            what = _subscription(SUBSCRIBED[deed], tier, _count(tags, "msg-param-cumulative-months"), words)
            return self._message(line, Kind.GUARD, what, now, yuan(price, "USD"))
        if deed in UPGRADED:
            return self._message(line, Kind.GUARD, f"订阅（{tier}）", now, yuan(price, "USD"))
        if deed in GIVEN_TO_MANY or deed in GIVEN:
            return self._gift(line, tier, price, now, many=deed in GIVEN_TO_MANY)
        if deed == "charitydonation":
            return self._message(line, Kind.GIFT, "慈善捐款", now, _donated(tags))
        if deed == "raid":
            # There is no kind for it. As a gift it is answered before plain chat, which a crowd at the door deserves.
            return self._message(line, Kind.GIFT, f"raid：{_count(tags, 'msg-param-viewerCount')} 位观众", now)
        if deed in SPOKEN and words:
            return self._message(line, Kind.DANMAKU, words, now)
        return Reason.NOT_CHAT if deed else Reason.BROKEN

    def _gift(self, line: Line, tier: str, price: float, now: float, *, many: bool) -> Event | Reason:
        """Gifts to many come once together and then one by one; only the first counts."""
        tags = line.tags
        together = tags.get("msg-param-community-gift-id") or tags.get("msg-param-origin-id", "").replace(" ", "")
        if together and together != NO_ORIGIN and not self._given.first(together, now):
            return Reason.COUNTED
        count = max(1, _count(tags, "msg-param-mass-gift-count")) if many else 1
        months = max(1, _count(tags, "msg-param-gift-months"))
        return self._message(line, Kind.GIFT, f"订阅（{tier}） x{count}", now, yuan(price * count * months, "USD"))

    def _message(self, line: Line, kind: Kind, words: str, now: float, price: float | None = None) -> Message:
        key = line.tags.get("id", "")
        if (source := line.tags.get("source-id")) and source != key:
            self._foreign[key] = source
            if len(self._foreign) > FOREIGN_NAMES:
                self._foreign.popitem(last=False)
            key = source
        key = text(key, NAME_LENGTH) or _digest(line, now)
        time = seconds(line.tags.get("tmi-sent-ts"), now)
        return Message(MessageId(f"{PLATFORM}:{key}"), kind, _viewer(line), text(words), price, time)

    def _deleted(self, line: Line) -> Event | Reason:
        key = text(line.tags.get("target-msg-id"), NAME_LENGTH)
        key = self._foreign.get(key, key)
        return Withdrawn(PLATFORM, frozenset({MessageId(f"{PLATFORM}:{key}")})) if key else Reason.BROKEN


def _cleared(line: Line) -> Event | Reason:
    """All that somebody wrote, who was banned or timed out; or, where nobody is named, the whole chat."""
    if viewer := text(line.tags.get("target-user-id"), NAME_LENGTH):
        return Withdrawn(PLATFORM, viewers=frozenset({viewer}))
    return Reason.BROKEN if line.words or not line.channel else Withdrawn(PLATFORM, everything=True)


def _viewer(line: Line) -> Viewer:
    """Without an id, or where the gift was anonymous, it is nobody in particular."""
    tags = line.tags
    who = text(tags.get("user-id"), NAME_LENGTH)
    if who == NOBODY or tags.get("msg-id") in ANONYMOUS:
        return Viewer(PLATFORM, "", "匿名观众")
    name = (tags.get("display-name", "").strip() or tags.get("login", "") or line.login or who or "观众")[:NAME_LENGTH]
    if _foreign(tags):
        name = f"{name}（共享聊天）"
    badges = tags.get("badges", "").split(",")
    roles = frozenset(ROLES[kind] for badge in badges if (kind := badge.partition("/")[0]) in ROLES)
    return Viewer(PLATFORM, who, text(name, NAME_LENGTH), roles)


def _foreign(tags: Mapping[str, str]) -> bool:
    """Whether this comes from another room of a shared chat."""
    source = tags.get("source-room-id", "")
    return bool(source) and source != tags.get("room-id")


def _plain(words: str) -> str:
    """`/me` comes as \\x01ACTION …\\x01."""
    return words.removeprefix(ACTION).removesuffix("\x01") if words.startswith(ACTION) else words


def _subscription(name: str, tier: str, months: int, words: str) -> str:
    what = f"{name}（{tier}，第 {months} 个月）" if months > 1 else f"{name}（{tier}）"
    return f"{what}：{words}" if words else what


def _donated(tags: Mapping[str, str]) -> float | None:
    amount = _count(tags, "msg-param-donation-amount", most=10**12)
    digits = _count(tags, "msg-param-exponent")
    return yuan(amount / 10 ** min(digits, 6), tags.get("msg-param-donation-currency", ""))


def _count(tags: Mapping[str, str], name: str, most: int = 10**6) -> int:
    """A whole number between 0 and `most`; 0 for anything that is none."""
    return min(max(whole(tags.get(name)), 0), most)


def _digest(line: Line, now: float) -> str:
    """A short key for a line that has no id of its own."""
    parts = repr((line.source, line.params, sorted(line.tags.items()), now))
    return blake2b(parts.encode("utf-8", "replace"), digest_size=8).hexdigest()
