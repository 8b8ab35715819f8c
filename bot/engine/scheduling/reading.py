"""Reads prompts into the model, piece by piece, from the longest beginning that is still known. Decides no order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

import torch
from torch import Tensor

from bot.engine.drafting import Vocabulary
from bot.engine.model import LanguageModel
from bot.engine.state import State
from bot.engine.states.memory import StateCache
from bot.engine.types import Prompt, Sampling


class Rank(IntEnum):
    """Who goes first: a person's request, then chatter, then what nobody waits for yet."""

    URGENT = 0
    USUAL = 1
    AHEAD = 2


@dataclass(slots=True)
class Text:
    """Tokens on their way into the model. `ends` (rising) are the places whose state is kept; the last is the end.

    `place` is how many tokens need not be read any more; before `state` is there, it is an estimate.
    """

    tokens: list[int]
    ends: list[int]
    place: int = 0
    state: State | None = None  # one row; None: not begun
    logits: Tensor | None = None  # (1, vocab) after `place` tokens; None: not known

    @property
    def left(self) -> int:
        return len(self.tokens) - self.place

    @property
    def is_read(self) -> bool:
        return self.state is not None and not self.left

    @property
    def next_end(self) -> int:
        """The next place whose state is kept."""
        return next((end for end in self.ends if end > self.place), len(self.tokens))

    def leads(self, other: Text) -> bool:
        """Whether this one, being read, soon leaves a state from which `other` can go on. Of two that are equally far, the
        one that has begun."""
        if self.state is None or other.place > self.place or (other.place == self.place and other.state is not None):
            return False
        return other.tokens[: self.next_end] == self.tokens[: self.next_end]


@dataclass(slots=True, eq=False)
class Answer:
    """A request for drafts, until the last of them has begun; or, of rank AHEAD, for reading alone, until that is done."""

    id: int
    prompt: Prompt
    sampling: Sampling
    texts: tuple[Text, ...]  # the prompt and, with guidance, the one that it is guided against
    to_begin: int  # drafts that have no rows yet
    next_draft: int = 0  # the index of the next one
    seed: int = 0  # of draft 0
    rank: Rank = Rank.USUAL

    @property
    def urgent(self) -> bool:
        return self.rank is Rank.URGENT

    @property
    def ahead(self) -> bool:
        return self.rank is Rank.AHEAD

    @property
    def rows(self) -> int:
        """Rows that one draft takes."""
        return len(self.texts)

    @property
    def begun(self) -> bool:
        return any(text.state is not None for text in self.texts)

    @property
    def left(self) -> int:
        return sum(text.left for text in self.texts)

    @property
    def state(self) -> State:
        """After all texts: the rows of one draft."""
        return State.join([text.state for text in self.texts if text.state is not None])

    @property
    def logits(self) -> Tensor:
        """After all texts (rows, vocab)."""
        found = [text.logits for text in self.texts if text.logits is not None]
        return torch.cat([logits.to(found[0].device) for logits in found])  # what was kept on disk comes on the CPU

    @property
    def text(self) -> Text | None:
        """The one that is to be read next."""
        return next((text for text in self.texts if not text.is_read), None)


class Reader:
    """`cache` None reads every text from its beginning (the same drafts come of it)."""

    def __init__(self, model: LanguageModel, vocabulary: Vocabulary, cache: StateCache | None) -> None:
        self._model = model
        self._vocabulary = vocabulary
        self._cache = cache
        self._last: Text | None = None  # that was read, and is not at its end

    def texts(self, prompt: Prompt, sampling: Sampling) -> tuple[Text, ...]:
        """What has to be read before the drafts can begin. ValueError: the model lacks some of the tokens."""
        tokens, keep = self._vocabulary.encode_prompt(prompt)
        texts = [self._text(tokens, keep)]
        if prompt.against and sampling.guides:
            against = Prompt(prompt.against, start_with=prompt.start_with, keep=(len(prompt.against),))
            texts.append(self._text(*self._vocabulary.encode_prompt(against)))
        return tuple(texts)

    def read(self, text: Text, most: int) -> int:
        """Goes on by at most `most` tokens; returns how many of them the model had to read."""
        if text is not self._last:
            self._catch_up(text)
        self._last = None
        if text.is_read:
            return 0
        assert text.state is not None
        begin, end = text.place, min(text.place + most, text.next_end)
        keep = end == text.next_end
        text.logits = self._model.forward(torch.tensor([text.tokens[begin:end]]), text.state)
        text.place = end
        if keep and self._cache is not None:
            self._cache.put(text.tokens[:end], text.state, text.logits[0])
        if text.left:
            self._last = text
        return end - begin

    def _text(self, tokens: list[int], keep: Iterable[int]) -> Text:
        if max(tokens) >= self._model.vocab:
            raise ValueError(f"token {max(tokens)} of {self._model.vocab}")
        text = Text(tokens, sorted({*keep, len(tokens)} - {0}))
        kept = self._cache.find(tokens) if self._cache is not None else None
        text.place = kept.length if kept is not None else 0
        return text

    def _catch_up(self, text: Text) -> None:
        """To the longest beginning that was read before, be it for another prompt and a moment ago."""
        kept = self._cache.find(text.tokens) if self._cache is not None else None
        if kept is not None and (text.state is None or kept.length > text.place):
            text.state, text.place, text.logits = kept.state[0], kept.length, kept.logits[None]
        elif text.state is None:
            text.state, text.place = self._model.zero_state(1), 0
