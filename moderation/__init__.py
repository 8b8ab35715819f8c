"""Automatic checks of what viewers write and what the model proposes. They point; a person decides."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from bot.messages import Message
from moderation.care import CareFilter
from moderation.chain import Chain, Filter
from moderation.classifier import Classifier
from moderation.echo import CardFilter
from moderation.injection import InjectionFilter
from moderation.lists import DEFAULT_WORDS, load_lists
from moderation.policy import Policy
from moderation.private import Links, PrivateFilter
from moderation.replies import ReplyFilter, language_of
from moderation.shape import ShapeFilter
from moderation.terms import WordListError
from moderation.verdict import Action, Direction, Finding, Verdict
from moderation.watching import WatchedWords

__all__ = [
    "DEFAULT_WORDS",
    "Action",
    "Chain",
    "Direction",
    "Filter",
    "Finding",
    "Policy",
    "Verdict",
    "WatchedWords",
    "WordListError",
    "build_chain",
    "screen_message",
    "screen_reply",
]


def build_chain(
    *,
    words: Filter | None = None,
    max_length: int = 80,
    reply_length: int = 200,
    links: Links = "block",
    speakers: Sequence[str] = (),
    allow: Sequence[str] = (),
    card: str = "",
    secrets: Sequence[str] = (),
    policy: Policy | None = None,
    services: Filter | None = None,
) -> Chain:
    """The checks of a show. `words`: what looks for the words of lists; None: of our own list only. `allow`: numbers
    and accounts that may be said. `card` is what the model was told about its role, `secrets` what it must never say.
    `policy`: what follows from what they find. `services`: what the user's own have answered (providers.py)."""
    filters: tuple[Filter, ...] = (
        ShapeFilter(max_length=max_length, reply_length=reply_length, speakers=speakers),
        words or load_lists(()),
        PrivateFilter(links=links, allow=allow),
        InjectionFilter(),
        Classifier(),
        CareFilter(),
        ReplyFilter(language_of(card) if card else "zh"),
        CardFilter(card, secrets),
    )
    return Chain((*filters, services) if services else filters, policy)


@cache
def _default() -> Chain:
    return build_chain()


def screen_message(message: Message | str) -> Verdict:
    """A viewer's message under the default checks. Actions: pass, mask, flag, hold, drop."""
    return _default().screen_message(message)


def screen_reply(text: str) -> Verdict:
    """A reply under the default checks. Actions: clean, flag, block, hard_block."""
    return _default().screen_reply(text)
