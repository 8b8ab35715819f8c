"""Asks a user's own models and services about a text. They can only add findings; what they have not answered is unchecked.

`moderation/http_service.py` is the kind that the settings know; bot/asking.py asks at the right moments. To the chain
this is a filter like the others: it knows the answers that have come, and says `unchecked` of every other text, which
holds a message and blocks a reply. So whoever forgets to ask, or cannot, lets nothing through unseen. Ask before the
chain is asked:

    providers = Providers([MyModel()])
    chain = Chain((*filters, providers), policy)
    await providers.ask(text, Direction.IN)
    verdict = chain.screen_message(text)
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Protocol

from moderation.categories import CATEGORIES
from moderation.chain import READ_LIMIT
from moderation.verdict import SEVERE, Direction, Finding

log = logging.getLogger(__name__)


class Unusable(Exception):
    """No answer, or one that makes no sense. The text never quotes what was asked: it goes into the log."""


class Provider(Protocol):
    """A model or service of the user's. `name` stands beside its findings. It may raise whatever it likes.

    One that is for a single direction has `directions`, a collection of them; one that has to be closed, `aclose()`.
    """

    @property
    def name(self) -> str: ...

    async def check(self, text: str, direction: Direction) -> Iterable[Finding]: ...


Answers = dict[str, tuple[Finding, ...]]  # by the provider's name; who failed has none


class Providers:
    """`seconds`: how long each may take, and how long a text waits for its turn. `at_once`: how many texts are asked
    about together. `remembered`: the answers about this many texts are kept in each direction, the latest used ones.
    """

    name = "providers"

    def __init__(
        self, providers: Sequence[Provider], *, seconds: float = 3.0, at_once: int = 16, remembered: int = 10_000
    ) -> None:
        if len({provider.name for provider in providers}) < len(providers):
            raise ValueError("two providers have one name")
        self._providers = {way: {each.name: each for each in providers if way in _ways(each)} for way in Direction}
        self._all = tuple(providers)
        self._seconds = seconds
        self._turn = asyncio.Semaphore(at_once)
        self._remembered = remembered
        # One memory a direction: a busy chat must not make us forget what was said of replies.
        self._known: dict[Direction, OrderedDict[str, Answers]] = {way: OrderedDict() for way in Direction}
        self._failing: set[str] = set()

    async def ask(self, text: str, direction: Direction) -> None:
        """Whoever has not answered about this text yet is asked. Returns when all have answered or failed, or when its
        turn has not come, so after at most twice `seconds`."""
        text = text[: READ_LIMIT[direction]]
        if self.answered(text, direction):
            return
        known = self._known[direction]
        answers: Answers = {}
        if await self._have_turn():
            try:
                here = self._providers[direction]
                asked = [each for name, each in here.items() if name not in known.get(text, {})]
                said = await asyncio.gather(*(self._one(each, text, direction) for each in asked))
                answers = {each.name: found for each, found in zip(asked, said, strict=True) if found is not None}
            finally:
                self._turn.release()
        known[text] = known.pop(text, {}) | answers
        while len(known) > self._remembered:
            known.popitem(last=False)

    def asked(self, text: str, direction: Direction) -> bool:
        """Whether everybody has had the time to answer about this text, whatever came of it."""
        return self.answered(text, direction) or text[: READ_LIMIT[direction]] in self._known[direction]

    def answered(self, text: str, direction: Direction) -> bool:
        """Whether everybody has answered about this text. In a text without a word there is nothing to find."""
        text = text[: READ_LIMIT[direction]]
        return not text.strip() or self._providers[direction].keys() <= self._known[direction].get(text, {}).keys()

    def check(self, text: str, direction: Direction) -> Iterator[Finding]:
        """What was answered about this text, and one finding for each provider that has not answered."""
        if not text.strip():
            return
        known = self._known[direction]
        if text in known:
            known.move_to_end(text)
        for name in self._providers[direction]:
            yield from known.get(text, {}).get(name, (_unanswered(text, name),))

    async def aclose(self) -> None:
        for each in self._all:
            if close := getattr(each, "aclose", None):
                await close()

    async def _have_turn(self) -> bool:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._turn.acquire()
        except TimeoutError:
            return False

    async def _one(self, provider: Provider, text: str, direction: Direction) -> tuple[Finding, ...] | None:
        try:
            async with asyncio.timeout(self._seconds):
                found = tuple(_own(found, text, provider.name) for found in await provider.check(text, direction))
        except Exception as error:
            self._report(provider.name, error)
            return None
        self._failing.discard(provider.name)
        return found

    def _report(self, name: str, error: Exception) -> None:
        """Once for as long as it fails. What an error says may quote a viewer: only `debug` shows all of it."""
        if name not in self._failing:
            what = str(error) if isinstance(error, Unusable) else type(error).__name__
            log.error("provider %s failed: %s", name, what)
        self._failing.add(name)
        log.debug("in full", exc_info=error)


def _ways(provider: Provider) -> Collection[Direction]:
    ways: Collection[Direction] = getattr(provider, "directions", tuple(Direction))
    return ways


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
