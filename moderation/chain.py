"""Runs every filter over a text and forms one verdict. Fails closed: what could not be checked does not go on."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

from bot.messages import Message
from moderation.verdict import SEVERE, Direction, Finding, Verdict, action_for

log = logging.getLogger(__name__)

# No filter ever reads more than this. A longer text cannot be checked whole, so it is held or blocked.
READ_LIMIT = {Direction.IN: 400, Direction.OUT: 2000}


class Filter(Protocol):
    """One kind of check. Places in its findings count in the text that it is given."""

    @property
    def name(self) -> str: ...

    def check(self, text: str, direction: Direction) -> Iterable[Finding]: ...


class Chain:
    """Filters in order. Every one is asked, so that a person sees all that was found."""

    def __init__(self, filters: Sequence[Filter]) -> None:
        self._filters = tuple(filters)

    def screen_message(self, message: Message | str) -> Verdict:
        """A viewer's words, and the viewer's name (its findings have no place in the words: 0:0)."""
        if isinstance(message, str):
            return self._verdict(message, self._findings(message, Direction.IN), Direction.IN)
        in_name = (
            Finding(found.category, found.severity, found.rule, 0, 0, f"昵称：{found.reason}")
            for found in self._findings(message.viewer.name, Direction.IN)
        )
        found = (*self._findings(message.text, Direction.IN), *in_name)
        return self._verdict(message.text, found, Direction.IN)

    def screen_reply(self, text: str) -> Verdict:
        """Words on their way to the audience, whoever wrote them."""
        return self._verdict(text, self._findings(text, Direction.OUT), Direction.OUT)

    def _verdict(self, text: str, findings: tuple[Finding, ...], direction: Direction) -> Verdict:
        return Verdict(action_for(findings, direction), findings, text)

    def _findings(self, text: str, direction: Direction) -> tuple[Finding, ...]:
        limit = READ_LIMIT[direction]
        read = text[:limit]
        found = [one for each in self._filters for one in _ask(each, read, direction)]
        if len(text) > limit:
            reason = f"超过 {limit} 字，后面的没有检查。 Too long to check."
            found.append(Finding("quality", SEVERE, "unchecked", limit, len(text), reason))
        return tuple(sorted(found, key=lambda one: (one.start, one.end)))


def _ask(each: Filter, text: str, direction: Direction) -> list[Finding]:
    """One filter's findings; a filter that fails becomes a finding that stops the text."""
    try:
        found = list(each.check(text, direction))
        if any(one.end > len(text) for one in found):
            raise ValueError("a finding lies outside the text")
        return found
    except Exception as error:
        # What an error says may quote a viewer: only `debug` shows all of it.
        log.error("filter %s failed: %s", each.name, type(error).__name__)
        log.debug("in full", exc_info=error)
        reason = f"检查“{each.name}”出错（{type(error).__name__}），这条没有查过。 A check failed."
        return [Finding("unchecked", SEVERE, f"failed:{each.name}", 0, len(text), reason)]
