"""Asks a user's own models and services about a text. They can only add findings; what they have not answered is unchecked.

To the chain this is a filter like the others: it knows the answers that have come, and says `unchecked` of every other
text, which holds a message and blocks a reply. So whoever forgets to ask, or cannot, lets nothing through. Ask before
the chain is asked:

    providers = Providers([MyModel()])
    chain = Chain((*filters, providers), policy)
    await providers.ask(text, Direction.IN)
    verdict = chain.screen_message(text)
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from moderation.categories import CATEGORIES
from moderation.chain import READ_LIMIT
from moderation.verdict import SEVERE, Direction, Finding

log = logging.getLogger(__name__)


class Provider(Protocol):
    """A model or service of the user's. `name` stands beside its findings. It may raise whatever it likes."""

    @property
    def name(self) -> str: ...

    async def check(self, text: str, direction: Direction) -> Iterable[Finding]: ...


Answers = dict[str, tuple[Finding, ...]]  # by the provider's name; who failed has none


class Providers:
    """`seconds`: how long each may take. `at_once`: how many texts are asked about together; the others wait, and their
    time has not begun. `remembered`: the answers about this many texts are kept, the latest used ones."""

    name = "providers"

    def __init__(
        self, providers: Sequence[Provider], *, seconds: float = 3.0, at_once: int = 8, remembered: int = 2000
    ) -> None:
        self._providers = {provider.name: provider for provider in providers}
        if len(self._providers) < len(providers):
            raise ValueError("two providers have one name")
        self._seconds = seconds
        self._turn = asyncio.Semaphore(at_once)
        self._remembered = remembered
        self._known: OrderedDict[tuple[str, Direction], Answers] = OrderedDict()

    async def ask(self, text: str, direction: Direction) -> None:
        """Whoever has not answered about this text yet is asked. Returns when all have answered or failed."""
        text = text[: READ_LIMIT[direction]]
        async with self._turn:
            answers = dict(self._known.get((text, direction), {}))
            asked = [each for name, each in self._providers.items() if name not in answers]
            said = await asyncio.gather(*(self._one(each, text, direction) for each in asked))
        answers |= {each.name: found for each, found in zip(asked, said, strict=True) if found is not None}
        self._known[text, direction] = self._known.pop((text, direction), {}) | answers
        while len(self._known) > self._remembered:
            self._known.popitem(last=False)

    def check(self, text: str, direction: Direction) -> Iterator[Finding]:
        """What was answered about this text, and one finding for each provider that has not answered."""
        answers = self._known.get((text, direction), {})
        if answers:
            self._known.move_to_end((text, direction))
        for name in self._providers:
            yield from answers.get(name, (_unanswered(text, name),))

    async def _one(self, provider: Provider, text: str, direction: Direction) -> tuple[Finding, ...] | None:
        try:
            async with asyncio.timeout(self._seconds):
                return tuple(_own(found, text, provider.name) for found in await provider.check(text, direction))
        except Exception as error:
            # What an error says may quote a viewer: only `debug` shows all of it.
            log.error("provider %s failed: %s", provider.name, type(error).__name__)
            log.debug("in full", exc_info=error)
            return None


def _own(found: Finding, text: str, name: str) -> Finding:
    """As the provider's. Raises ValueError for what cannot be one's."""
    if found.category not in CATEGORIES or found.category == "unchecked":
        raise ValueError(f"no category {found.category!r}")
    if found.end > len(text):
        raise ValueError("a finding lies outside the text")
    return replace(found, source=name, action=None)


def _unanswered(text: str, name: str) -> Finding:
    reason = f"“{name}”还没有答复，或者出了错，这条它没有查过。 Not checked: no answer from it."
    return Finding("unchecked", SEVERE, f"unanswered:{name}", 0, len(text), reason, source=name)
