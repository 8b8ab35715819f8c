"""Runs every filter over a text and forms one verdict. Fails closed: what could not be checked does not go on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from bot.messages import Message, Role
from moderation.masking import mask
from moderation.policy import Policy, gravest
from moderation.verdict import SEVERE, Direction, Finding, Verdict

log = logging.getLogger(__name__)

# No filter ever reads more than this. A longer text cannot be checked whole, so it is held or blocked.
READ_LIMIT = {Direction.IN: 400, Direction.OUT: 2000}
TIME_LIMIT = 0.05
AT_THE_LIMIT = 40
MOST_NAMES = 2000
NOT_CHECKED = "[没有查过]"
_OF_ONE_MESSAGE = frozenset({"quality", "spam", "suspect", "unchecked"})


class Filter(Protocol):
    """One kind of check. Places in its findings count in the text that it is given.

    A filter whose answer depends on a list or a model has a `version: str` as well, which goes into every verdict. One
    that masks has `masks = True`: where it fails, nothing of a message is shown.
    """

    @property
    def name(self) -> str: ...

    def check(self, text: str, direction: Direction) -> Iterable[Finding]: ...


class Chain:
    """Filters in order. Every one is asked, so that a person sees all that was found; the policy says what follows.

    A filter that fails, or twice takes longer than `time_limit` seconds by `clock`, stops the text: it counts as
    unchecked. A check that is under way is not interrupted, so one that never ends would hold up the show; filters
    therefore bound what they do, and tests hold them to it.
    """

    def __init__(
        self,
        filters: Sequence[Filter],
        policy: Policy | None = None,
        *,
        clock: Callable[[], float] = time.perf_counter,
        time_limit: float = TIME_LIMIT,
    ) -> None:
        self._filters = tuple(filters)
        self._policy = policy or Policy()
        self._clock = clock
        self._time_limit = time_limit
        self._names: dict[str, tuple[str, tuple[Finding, ...]]] = {}
        self._names_with: tuple[tuple[str, str], ...] = ()

    def screen_message(self, message: Message | str, before: str = "") -> Verdict:
        """A viewer's words, and the viewer's name (its findings have no place in the words: 0:0).

        `before` is what the same viewer wrote just now: what begins in it and ends in these words is found too.
        """
        if isinstance(message, str):
            return self._verdict(message, self._findings(message, Direction.IN), Direction.IN)
        name, in_name = self._named(message.viewer.name)
        found = (*self._heard(message.text, before), *in_name)
        return self._verdict(message.text, found, Direction.IN, message.viewer.roles, name)

    def screen_reply(self, text: str, *beside: Filter) -> Verdict:
        """Words on their way to the audience, whoever wrote them. `beside`: filters for this one reply."""
        return self._verdict(text, self._findings(text, Direction.OUT, beside), Direction.OUT)

    @property
    def filters(self) -> tuple[Filter, ...]:
        return self._filters

    @property
    def versions(self) -> tuple[tuple[str, str], ...]:
        """What texts are checked with now: each list and model with its version."""
        return tuple([(each.name, version) for each in self._filters if (version := getattr(each, "version", ""))])

    def _verdict(
        self,
        text: str,
        findings: Iterable[Finding],
        direction: Direction,
        roles: Collection[Role] = (),
        name: str = "",
    ) -> Verdict:
        judged = self._policy.judge(findings, direction, roles)
        masked, shown = mask(text, judged) if direction is Direction.IN else (text, judged)
        return Verdict(gravest(judged, direction), judged, masked, name, shown, self.versions)

    def _named(self, name: str) -> tuple[str, tuple[Finding, ...]]:
        """A viewer's name as it may be shown. Names come again and again, so what was found in them is remembered."""
        versions = self.versions
        if self._names_with != versions or len(self._names) >= MOST_NAMES:
            self._names, self._names_with = {}, versions
        if name not in self._names:
            shown, found = mask(name, self._findings(name, Direction.IN))
            if any(one.category == "unchecked" for one in found):
                return shown, tuple(map(_in_name, found))
            self._names[name] = shown, tuple(map(_in_name, found))
        return self._names[name]

    def _heard(self, text: str, before: str) -> tuple[Finding, ...]:
        found = self._findings(text, Direction.IN)
        before = before[-max(0, READ_LIMIT[Direction.IN] - len(text)) :] if len(text) < READ_LIMIT[Direction.IN] else ""
        if not before:
            return found
        known = {one.rule for one in found}
        joined = self._findings(before + text, Direction.IN)
        split = (one for one in joined if one.end > len(before) and one.rule not in known)
        return (*(_of_the_end(one, len(before)) for one in split if one.category not in _OF_ONE_MESSAGE), *found)

    def _findings(self, text: str, direction: Direction, beside: Sequence[Filter] = ()) -> tuple[Finding, ...]:
        limit = READ_LIMIT[direction]
        read = text[:limit]
        found = [one for each in (*self._filters, *beside) for one in self._ask(each, read, direction)]
        if len(text) > limit:
            reason = f"超过 {limit} 字，后面的没有检查。 Too long to check."
            # What lies at the limit may go on beyond it, unseen.
            start = limit - AT_THE_LIMIT if direction is Direction.IN else limit
            found.append(Finding("unchecked", SEVERE, "unchecked", start, len(text), reason, mask="…"))
        return tuple(sorted(found, key=lambda one: (one.start, one.end)))

    def _ask(self, each: Filter, text: str, direction: Direction) -> list[Finding]:
        """One filter's findings; a filter that fails or dawdles adds one that stops the text.

        One that took too long is asked once more: it may have been the machine that was busy, and not the filter.
        """
        found, took = self._timed(each, text, direction)
        if took > self._time_limit:
            found, took = self._timed(each, text, direction)
        if took > self._time_limit:
            log.warning("filter %s took %.0f ms", each.name, took * 1000)
            reason = f"检查“{each.name}”用了 {took * 1000:.0f} 毫秒，太久，不算查过。 A check took too long."
            found.append(_unchecked(text, f"slow:{each.name}", reason))
        return found

    def _timed(self, each: Filter, text: str, direction: Direction) -> tuple[list[Finding], float]:
        """What it found, and how many seconds that took."""
        began = self._clock()
        try:
            found = list(each.check(text, direction))
            if any(one.end > len(text) for one in found):
                raise ValueError("a finding lies outside the text")
        except Exception as error:
            # What an error says may quote a viewer: only `debug` shows all of it.
            log.error("filter %s failed: %s", each.name, type(error).__name__)
            log.debug("in full", exc_info=error)
            reason = f"检查“{each.name}”出错（{type(error).__name__}），这条没有查过。 A check failed."
            unchecked = _unchecked(text, f"failed:{each.name}", reason)
            found = [replace(unchecked, mask=NOT_CHECKED) if getattr(each, "masks", False) else unchecked]
        return found, self._clock() - began


def _unchecked(text: str, rule: str, reason: str) -> Finding:
    return Finding("unchecked", SEVERE, rule, 0, len(text), reason)


def _of_the_end(found: Finding, start: int) -> Finding:
    """What was found in two messages, told of the second."""
    return replace(
        found, start=max(0, found.start - start), end=found.end - start, reason=f"与上一条连起来：{found.reason}"
    )


def _in_name(found: Finding) -> Finding:
    return replace(found, start=0, end=0, reason=f"昵称：{found.reason}")
