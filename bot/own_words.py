"""The user's own word list, as a person at the panel changes it: one word at a time, in effect when it is done.

A change that the lists would not be read with (a word too short, one that flags everyday chat) is taken back.
"""

from __future__ import annotations

import asyncio
from typing import Literal, Protocol

from bot.approval import Refused
from bot.save import Save, SaveError
from moderation import WordListError
from moderation.terms import Term, parse_words

Rule = Literal["block", "allow", "forget"]


class Lists(Protocol):
    """The lists in use. `refresh` reads changed files, which takes up to a second; `problem` is "" when it could."""

    @property
    def problem(self) -> str: ...

    def refresh(self) -> bool: ...


class OwnWords:
    """Lists as `lists` reads them, of which `save` keeps the user's own."""

    def __init__(self, save: Save, lists: Lists) -> None:
        self._save = save
        self._lists = lists
        self._one_at_a_time = asyncio.Lock()

    async def put(self, word: str, rule: Rule, category: str = "custom", severity: int = 3) -> None:
        """Raises Refused where the word cannot be listed; nothing has changed then."""
        async with self._one_at_a_time:
            before = self._save.own_words()
            try:
                after = edited(before, word, rule, category, severity)
                await self._write(after)
                if self._lists.problem:
                    problem = self._lists.problem
                    await self._write(before)
                    raise Refused("bad_word", problem)
            except (WordListError, SaveError) as error:
                raise Refused("bad_word", str(error)) from error

    async def _write(self, text: str) -> None:
        self._save.write_own_words(text)
        await asyncio.to_thread(self._lists.refresh)


def edited(text: str, word: str, rule: Rule, category: str = "custom", severity: int = 3) -> str:
    """The list with this word stopped, allowed, or neither; what was said of it before goes. Raises WordListError."""
    (term,) = parse_words(_entry(word, rule, category, severity), "words.tsv") or (None,)
    if term is None:
        raise WordListError("词不能是注释。 A word cannot begin with #.")
    lines = [line for line in text.splitlines() if not _is_about(line, term)]
    if rule != "forget":
        lines.append(_entry(word, rule, category, severity))
    return "".join(f"{line}\n" for line in lines)


def _entry(word: str, rule: Rule, category: str, severity: int) -> str:
    plain = " ".join(word.split())
    return "\t".join((plain, category, str(severity), "a" if rule == "allow" else "", "场控"))


def _is_about(line: str, term: Term) -> bool:
    """Whether a line of the list is an entry for the same word, however it is written."""
    try:
        return any(one.folded == term.folded for one in parse_words(line))
    except WordListError:
        return False
