"""From the items of a YouTube live chat to messages. Pure; remembers nothing, asks nothing.

https://developers.google.com/youtube/v3/live/docs/liveChatMessages
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

from adapters.fields import NAME_LENGTH, at, number, text, whole
from adapters.money import yuan
from bot.messages import Event, Kind, Message, MessageId, Role, Viewer, Withdrawn

PLATFORM = "youtube"
MEMBERSHIP = 5.0  # dollars a month, about: the API does not say what a channel asks. For sorting only
MOST = 10**6  # of whatever is counted

_VIDEO = re.compile(
    r"(?:(?:https?://)?(?:\w+\.)?youtu(?:\.be|be\.com)/(?:watch\?(?:\S*&)?v=|live/)?)?([\w-]{11})(?:[?&#]\S*)?",
    re.ASCII,
)

ROLES = {"isChatOwner": Role.STREAMER, "isChatModerator": Role.MODERATOR, "isChatSponsor": Role.MEMBER}
NOT_CHAT = frozenset({"sponsorOnlyModeStartedEvent", "sponsorOnlyModeEndedEvent", "pollEvent"})


class Reason(StrEnum):
    """Why an item brings no message."""

    NOT_CHAT = "not_chat"  # an item that we know, about something else
    UNKNOWN = "unknown"  # an item that we do not know
    BROKEN = "broken"  # nothing of use can be read
    NO_TEXT = "no_text"
    COUNTED = "counted"  # who got one of the memberships that were given together
    ENDED = "ended"  # the chat is closed


Deed = tuple[Kind, str, float | None]  # what was done, in words, and the price in yuan


def read(item: object, now: float) -> Event | Reason:
    """What this item brings. `now` in seconds since 1970."""
    snippet = at(item, "snippet")
    kind, own_id = text(at(snippet, "type")), text(at(item, "id"), NAME_LENGTH)
    if not isinstance(snippet, dict) or not kind:
        return Reason.BROKEN
    if kind == "chatEndedEvent":
        return Reason.ENDED
    if kind in ("messageDeletedEvent", "tombstone"):
        deleted = text(at(snippet, "messageDeletedDetails", "deletedMessageId"), NAME_LENGTH)
        return _taken_back(own_id if kind == "tombstone" else deleted)
    if kind == "userBannedEvent":
        banned = text(at(snippet, "userBannedDetails", "bannedUserDetails", "channelId"), NAME_LENGTH)
        return Withdrawn(PLATFORM, viewers=frozenset({banned})) if banned else Reason.BROKEN
    if kind == "giftMembershipReceivedEvent":
        return Reason.COUNTED
    if kind not in DEEDS:
        return Reason.NOT_CHAT if kind in NOT_CHAT or kind.startswith("poll") else Reason.UNKNOWN
    if not own_id:
        return Reason.BROKEN
    what, words, price = DEEDS[kind](snippet)
    if what is Kind.DANMAKU and not words.strip():
        return Reason.NO_TEXT
    return Message(_id(own_id), what, _viewer(item), text(words), price, _time(item, now))


def video_id(video: str) -> str | None:
    """The eleven characters, from themselves or the video's address; None where it is neither."""
    found = _VIDEO.fullmatch(video.strip())
    return found[1] if found else None


def published(item: object) -> float | None:
    """When the item was published, in seconds since 1970; None where that cannot be read."""
    try:
        when = datetime.fromisoformat(text(at(item, "snippet", "publishedAt"), 40))
        return when.timestamp() if when.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _time(item: object, now: float) -> float:
    """A platform's clock ahead of ours must not make a message live longer."""
    found = published(item)
    return min(found, now) if found and found > 0 else now


def _id(own_id: str) -> MessageId:
    return MessageId(f"{PLATFORM}:{own_id}")


def _taken_back(own_id: str) -> Event | Reason:
    return Withdrawn(PLATFORM, frozenset({_id(own_id)})) if own_id else Reason.BROKEN


def _viewer(item: object) -> Viewer:
    author = at(item, "authorDetails")
    channel = text(at(author, "channelId"), NAME_LENGTH) or text(at(item, "snippet", "authorChannelId"), NAME_LENGTH)
    name = text(at(author, "displayName"), NAME_LENGTH).strip() or "观众"
    roles = frozenset(role for field, role in ROLES.items() if at(author, field) is True)
    return Viewer(PLATFORM, channel, name, roles)


# -- what a viewer has done -----------------------------------------------------------------------------------------


def _said(snippet: object) -> Deed:
    words = text(at(snippet, "textMessageDetails", "messageText")) or text(at(snippet, "displayMessage"))
    return Kind.DANMAKU, words, None


def _paid(details: str) -> Callable[[object], Deed]:
    def deed(snippet: object) -> Deed:
        return Kind.SUPER_CHAT, text(at(snippet, details, "userComment")), _price(at(snippet, details))

    return deed


def _sticker(snippet: object) -> Deed:
    """A picture without words: a gift rather than a message."""
    details = at(snippet, "superStickerDetails")
    return Kind.GIFT, text(at(details, "superStickerMetadata", "altText"), 200) or "超级贴图", _price(details)


def _joined(snippet: object) -> Deed:
    return Kind.GUARD, _level(at(snippet, "newSponsorDetails", "memberLevelName")), None


def _milestone(snippet: object) -> Deed:
    details = at(snippet, "memberMilestoneChatDetails")
    months, words = _count(at(details, "memberMonth")), text(at(details, "userComment")).strip()
    what = _level(at(details, "memberLevelName")) + (f"（第 {months} 个月）" if months else "")
    return Kind.GUARD, f"{what}：{words}" if words else what, None


def _memberships(snippet: object) -> Deed:
    details = at(snippet, "membershipGiftingDetails")
    count = max(1, _count(at(details, "giftMembershipsCount")))
    what = f"{_level(at(details, 'giftMembershipsLevelName'))} x{count}"
    return Kind.GIFT, what, yuan(MEMBERSHIP * count, "USD")


def _gift(snippet: object) -> Deed:
    """Bought with jewels, whose price the API does not tell."""
    details = at(snippet, "giftDetails")
    return Kind.GIFT, text(at(details, "giftName"), 200) or text(at(details, "altText"), 200) or "礼物", None


DEEDS: Mapping[str, Callable[[object], Deed]] = {
    "textMessageEvent": _said,
    "superChatEvent": _paid("superChatDetails"),
    "fanFundingEvent": _paid("fanFundingEventDetails"),
    "superStickerEvent": _sticker,
    "newSponsorEvent": _joined,
    "memberMilestoneChatEvent": _milestone,
    "membershipGiftingEvent": _memberships,
    "giftEvent": _gift,
}


def _level(name: object) -> str:
    return text(name, 100).strip() or "会员"


def _count(value: object) -> int:
    return min(max(whole(value), 0), MOST)


def _price(details: object) -> float | None:
    """In yuan, from millionths of whatever currency it was paid in: an estimate for sorting (adapters/money.py)."""
    amount = (number(at(details, "amountMicros")) or 0.0) / 1_000_000
    return yuan(amount, text(at(details, "currency"), 8)) if 0 < amount < 1e12 else None
