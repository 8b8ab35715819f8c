"""Shares the model among all answers in progress: one step reads a piece of a prompt and grows every draft by a token.

Plain and synchronous: the caller calls `step` until nothing is left to do. Answers come and go between steps.
"""

from __future__ import annotations

import random
import sys
import traceback
from collections import deque
from dataclasses import dataclass, field

import torch
from torch import Tensor

from bot.engine.drafting import Draft, Vocabulary
from bot.engine.model import LanguageModel
from bot.engine.sampling import draw
from bot.engine.state import State
from bot.engine.states import StateCache
from bot.engine.types import Ending, Prompt, Sampling
from bot.engine.weights import is_out_of_memory

MAX_ROWS = 64
"""Drafts that grow together at most. More wait until some are finished."""

MAX_WAITING = 64
"""Answers that wait at most; a further one is refused at once."""

PIECE_ALONE = 256
PIECE_BESIDE_DRAFTS = 64
"""Tokens of a prompt that one step reads: few while drafts are growing, so that they do not stall; never so many that
a cancelled answer keeps the model long."""


@dataclass(frozen=True, slots=True)
class Grew:
    """A draft's text gained `gained` at its end."""

    answer: int
    index: int
    gained: str


@dataclass(frozen=True, slots=True)
class Finished:
    answer: int
    index: int
    text: str
    ending: Ending


@dataclass(frozen=True, slots=True)
class Lost:
    """The answer will not come; `message` is for people."""

    answer: int
    message: str


Event = Grew | Finished | Lost


@dataclass(slots=True)
class _Answer:
    """A prompt that is being read, or waits for that."""

    id: int
    prompt: Prompt
    count: int
    sampling: Sampling
    tokens: list[int]
    keep: set[int]
    at: int = 0  # tokens read so far
    state: State | None = None  # None: reading has not begun
    logits: Tensor | None = None  # (1, vocab) after the last token


@dataclass(slots=True)
class _Batch:
    """The drafts that grow, row for row: which answer each belongs to, and the token that it reads next."""

    state: State
    answers: list[int] = field(default_factory=list)
    drafts: list[Draft] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.drafts)

    def join(self, other: _Batch) -> None:
        self.state = State.join([self.state, other.state]) if len(self) else other.state
        self.answers += other.answers
        self.drafts += other.drafts
        self.tokens += other.tokens

    def keep(self, rows: list[int]) -> None:
        if len(rows) == len(self):
            return
        self.state = self.state[rows]
        self.answers = [self.answers[row] for row in rows]
        self.drafts = [self.drafts[row] for row in rows]
        self.tokens = [self.tokens[row] for row in rows]


class Scheduler:
    """Answers in, events out. `cache` None reads every prompt from its beginning (the same text comes of it)."""

    def __init__(self, model: LanguageModel, vocabulary: Vocabulary, cache: StateCache | None) -> None:
        self._model = model
        self._vocabulary = vocabulary
        self._cache = cache
        self._waiting: deque[_Answer] = deque()
        self._batch = _Batch(model.zero_state(0))
        self.tokens_read = 0
        self.tokens_drawn = 0

    @property
    def busy(self) -> bool:
        return bool(self._waiting or len(self._batch))

    @property
    def rows(self) -> int:
        return len(self._batch)

    @property
    def queue(self) -> int:
        return len(self._waiting)

    def submit(self, answer: int, prompt: Prompt, count: int, sampling: Sampling) -> list[Event]:
        """Takes in a request for `count` drafts; a request that can never be served is lost at once."""
        if not 0 < count <= MAX_ROWS:
            return [Lost(answer, f"一次可要 1 到 {MAX_ROWS} 个候选，现为 {count}。 / Ask for 1 to {MAX_ROWS} drafts.")]
        if len(self._waiting) >= MAX_WAITING:
            return [Lost(answer, "排队的请求太多，请稍后再试。 / Too many requests are waiting; try again.")]
        tokens, keep = self._vocabulary.encode_prompt(prompt)
        if max(tokens) >= self._model.vocab:
            return [Lost(answer, "分词器与模型不配套。请检查 tokenizer.json。 / The tokenizer does not fit the model.")]
        self._waiting.append(_Answer(answer, prompt, count, sampling, tokens, set(keep)))
        return []

    def cancel(self, answer: int) -> None:
        """Nothing more comes of this answer; its drafts leave the batch now."""
        self._waiting = deque(waiting for waiting in self._waiting if waiting.id != answer)
        self._batch.keep([row for row, id in enumerate(self._batch.answers) if id != answer])

    def step(self) -> list[Event]:
        """One piece of the first prompt that waits, then one token for every draft."""
        events: list[Event] = []
        if self._waiting and len(self._batch) + self._waiting[0].count <= MAX_ROWS:
            events += self._read(self._waiting[0])
        if len(self._batch):
            events += self._grow()
        return events

    def _read(self, answer: _Answer) -> list[Event]:
        try:
            self._read_piece(answer)
            if answer.at < len(answer.tokens):
                return []
            self._waiting.popleft()
            return self._branch(answer)
        except torch.AcceleratorError:
            raise  # the device is gone for this process: a new one must take over
        except Exception as error:
            self.cancel(answer.id)
            return [Lost(answer.id, _loss(error))]

    def _read_piece(self, answer: _Answer) -> None:
        if answer.state is None:
            self._begin(answer)
        assert answer.state is not None
        if answer.at == len(answer.tokens):
            return
        piece = PIECE_BESIDE_DRAFTS if len(self._batch) else PIECE_ALONE
        ends = [n for n in (*answer.keep, len(answer.tokens)) if n > answer.at]
        end = min(answer.at + piece, *ends)
        tokens = torch.tensor([answer.tokens[answer.at : end]])
        answer.logits = self._model.forward(tokens, answer.state)
        self.tokens_read += end - answer.at
        answer.at = end
        if self._cache is not None and end in ends:
            self._cache.put(answer.tokens[:end], answer.state, answer.logits[0])

    def _begin(self, answer: _Answer) -> None:
        """From the longest beginning that was read before, if any."""
        kept = self._cache.find(answer.tokens) if self._cache is not None else None
        if kept is None:
            answer.state = self._model.zero_state(1)
            return
        answer.state, answer.at, answer.logits = kept.state[0], kept.length, kept.logits[None]

    def _branch(self, answer: _Answer) -> list[Event]:
        """The prompt is read: its state becomes a row for each draft, and each draws its first token."""
        assert answer.state is not None and answer.logits is not None
        seed = answer.sampling.seed
        seed = random.getrandbits(48) if seed is None else seed
        n = answer.count
        drafts = [Draft(i, answer.prompt, answer.sampling, self._vocabulary, seed + i) for i in range(n)]
        rows = _Batch(answer.state.repeat(n), [answer.id] * n, drafts, [0] * n)
        events = self._draw(rows, answer.logits.repeat(n, 1))
        self._batch.join(rows)
        return events

    def _grow(self) -> list[Event]:
        batch = self._batch
        try:
            logits = self._model.forward(torch.tensor(batch.tokens)[:, None], batch.state)
            return self._draw(batch, logits)
        except torch.AcceleratorError:
            raise
        except Exception as error:  # the states may be half changed: every answer in the batch is lost
            lost = list(dict.fromkeys(batch.answers))
            batch.keep([])
            return [Lost(answer, _loss(error)) for answer in lost]

    def _draw(self, batch: _Batch, logits: Tensor) -> list[Event]:
        """Each draft of `batch` takes a token; those that end leave."""
        drawn = draw(logits, [draft.chances for draft in batch.drafts], [draft.forbidden for draft in batch.drafts])
        self.tokens_drawn += len(drawn)
        batch.tokens = drawn
        events: list[Event] = []
        for answer, draft, token in zip(batch.answers, batch.drafts, drawn, strict=True):
            gained = draft.take(token)
            if draft.ending is not None:
                events.append(Finished(answer, draft.index, draft.text, draft.ending))
            elif gained:
                events.append(Grew(answer, draft.index, gained))
        batch.keep([row for row, draft in enumerate(batch.drafts) if draft.ending is None])
        return events


def _loss(error: Exception) -> str:
    traceback.print_exception(error, file=sys.stderr)
    if is_out_of_memory(error):
        return "内存不够，这次没有生成。可再试一次，或减少候选数量。 / Out of memory; ask again or for fewer drafts."
    return f"生成失败（{type(error).__name__}），可再试一次。 / Generation failed; ask again."
