"""Shares the model among all answers in progress: one step reads a piece of a prompt and grows every draft by a token.

Plain and synchronous: the caller calls `step` until nothing is left to do. Answers come and go between steps. Whose
prompt is read is decided in waiting.py; here, who gets rows: a person's request first, then chatter, each in the order
in which their prompts were read. Drafts of one answer need not begin together: what fits, begins.
"""

from __future__ import annotations

import random
import sys
import traceback
from dataclasses import dataclass

import torch

from bot.engine.drafting import Draft, Vocabulary
from bot.engine.model import LanguageModel
from bot.engine.sampling.wording import WordingError
from bot.engine.scheduling.batch import Batch, Growing
from bot.engine.scheduling.measures import Measures
from bot.engine.scheduling.reading import Answer, Rank, Reader, Text
from bot.engine.scheduling.waiting import WaitingRoom
from bot.engine.states.memory import StateCache
from bot.engine.types import Ending, Prompt, Sampling
from bot.engine.weights import is_out_of_memory


@dataclass(frozen=True, slots=True)
class Bounds:
    """`rows` grow together at most (a guided draft takes two). `reserved` of them are never given to chatter, so that a
    person's request finds room at once. `waiting` answers have not begun to draft at most; a further one is refused.

    `piece` and `piece_beside_drafts` are the tokens of a prompt that one step reads: few while drafts are growing, so
    that they do not stall; never so many that a cancelled answer keeps the model long. Beside drafts, what is read ahead
    has one step in `ahead_each`. A person's request with more than `urgent` tokens to read takes its turn with chatter,
    which would have to wait for all of it otherwise.
    """

    rows: int = 64
    reserved: int = 16
    waiting: int = 64
    piece: int = 256
    piece_beside_drafts: int = 64
    ahead_each: int = 8
    urgent: int = 4096


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


@dataclass(frozen=True, slots=True)
class Read:
    """Of what was to be read ahead, `left` tokens are left; 0 ends it."""

    answer: int
    left: int


Event = Grew | Finished | Lost | Read


class Unservable(Exception):
    """A request that cannot be taken in. The message is for people."""


class Scheduler:
    """Answers in, events out. An answer ends once: all its drafts are finished, or it is read, lost, or was cancelled."""

    def __init__(
        self,
        model: LanguageModel,
        vocabulary: Vocabulary,
        cache: StateCache | None,
        bounds: Bounds = Bounds(),
        measures: Measures | None = None,
    ) -> None:
        self.measures = measures or Measures()
        self._vocabulary = vocabulary
        self._bounds = bounds
        self._reader = Reader(model, vocabulary, cache)
        self._batch = Batch(model)
        self._waiting = WaitingRoom()
        self._ready: list[Answer] = []  # their prompts are read, and some drafts have no rows yet

    @property
    def busy(self) -> bool:
        return bool(self._waiting or self._ready or len(self._batch))

    @property
    def rows(self) -> int:
        return len(self._batch)

    @property
    def queue(self) -> int:
        """Answers of which some drafts have not begun."""
        return len(self._waiting) + len(self._ready)

    # ---- answers come and go -------------------------------------------------------------------------------------

    def submit(self, id: int, prompt: Prompt, count: int, sampling: Sampling) -> list[Event]:
        """Takes in a request for `count` drafts; a request that can never be served is lost at once."""
        bounds = self._bounds
        self.measures.asked(id, count)
        if not 0 < count <= bounds.rows:
            return self._lose(
                id, f"一次可要 1 到 {bounds.rows} 个候选，现为 {count}。 / Ask for 1 to {bounds.rows} drafts."
            )
        try:
            self._vocabulary.wording(sampling)
            texts = self._texts(prompt, sampling)
        except (Unservable, WordingError) as error:
            return self._lose(id, str(error))
        seed = random.getrandbits(48) if sampling.seed is None else sampling.seed
        answer = Answer(id, prompt, sampling, texts, to_begin=count, seed=seed)
        if prompt.urgent and answer.left <= bounds.urgent:
            answer.rank = Rank.URGENT
        self._waiting.put(answer)
        return []

    def read(self, id: int, prompt: Prompt) -> list[Event]:
        """Takes in a request to read ahead: states are kept as for drafts, and none are written."""
        try:
            answer = Answer(id, prompt, Sampling(), self._texts(prompt, Sampling()), to_begin=0, rank=Rank.AHEAD)
        except (Unservable, WordingError) as error:
            return self._lose(id, str(error))
        if answer.left:
            self._waiting.put(answer)
        return [Read(id, answer.left)]

    def _texts(self, prompt: Prompt, sampling: Sampling) -> tuple[Text, ...]:
        if self.queue >= self._bounds.waiting:
            raise Unservable("排队的请求太多，请稍后再试。 / Too many requests are waiting; try again.")
        try:
            return self._reader.texts(prompt, sampling)
        except ValueError:
            raise Unservable(
                "分词器与模型不配套。请检查 tokenizer.json。 / The tokenizer does not fit the model."
            ) from None

    def cancel(self, id: int) -> None:
        """Nothing more comes of this answer; its drafts leave the batch now."""
        self.measures.cancelled(id)
        self._remove(id)

    def step(self) -> list[Event]:
        """One piece of a prompt, then one token for every draft."""
        events = self._begin_drafts()
        events += self._read()
        events += self._grow()
        return events

    def _remove(self, *ids: int) -> None:
        for answer in [answer for answer in self._waiting if answer.id in ids]:
            self._waiting.remove(answer)
        self._ready = [answer for answer in self._ready if answer.id not in ids]
        self._batch.keep(lambda one: one.answer not in ids)

    def _lose(self, id: int, message: str) -> list[Event]:
        self._remove(id)
        self.measures.lost(id)
        return [Lost(id, message)]

    # ---- prompts are read ----------------------------------------------------------------------------------------

    def _read(self) -> list[Event]:
        """One piece. A prompt that is known already costs nothing, so the next one has its turn in the same step."""
        most = self._bounds.piece_beside_drafts if len(self._batch) else self._bounds.piece
        events: list[Event] = []
        while (answer := self._next_to_read()) is not None:
            try:
                cost = self._read_piece(answer, most)
            except torch.AcceleratorError:
                raise  # the device is gone for this process: a new one must take over
            except Exception as error:
                return events + self._lose(answer.id, _loss(error))
            events += [Read(answer.id, answer.left)] if answer.ahead else self._begin_drafts()
            if cost:
                break
        return events

    def _next_to_read(self) -> Answer | None:
        answer = self._waiting.next(self._may_begin)
        if answer is None or answer.text is None:
            return None
        if answer.ahead and len(self._batch) and self.measures.steps % self._bounds.ahead_each:
            return None
        return self._waiting.leader(answer.text) or answer

    def _may_begin(self, answer: Answer) -> bool:
        """To be read: not while another of its kind, or before it, is read and lacks rows, so that few states are held."""
        return all(answer.rank < ready.rank for ready in self._ready)

    def _read_piece(self, answer: Answer, most: int) -> int:
        if not answer.begun and not answer.ahead:
            self.measures.began(answer.id)
        cost = self._reader.read(answer.text, most) if answer.text is not None else 0
        self.measures.tokens_read += cost
        if answer.text is None:
            self._waiting.remove(answer)
            self._ready += [] if answer.ahead else [answer]
        return cost

    # ---- drafts grow ---------------------------------------------------------------------------------------------

    def _free(self, urgent: bool) -> int:
        return self._bounds.rows - len(self._batch) - (0 if urgent else self._bounds.reserved)

    def _begin_drafts(self) -> list[Event]:
        """As many as there is room for; nobody goes past one for whom there is none."""
        events: list[Event] = []
        for answer in sorted(self._ready, key=lambda answer: not answer.urgent):
            try:
                while (n := min(answer.to_begin, self._free(answer.urgent) // answer.rows)) > 0:
                    events += self._begin(answer, n)
            except torch.AcceleratorError:
                raise
            except Exception as error:
                events += self._lose(answer.id, _loss(error))
            if answer.to_begin:
                break
            self._ready.remove(answer)
        return events

    def _begin(self, answer: Answer, n: int) -> list[Event]:
        """The next `n` drafts of an answer get rows and their first tokens."""
        indices = range(answer.next_draft, answer.next_draft + n)
        read = answer.texts[0].tokens
        drafts = [Draft(i, answer.prompt, answer.sampling, self._vocabulary, answer.seed + i, read) for i in indices]
        guidance = answer.sampling.guidance if answer.rows > 1 else None
        growing = [Growing(answer.id, draft, guidance) for draft in drafts]
        self._batch.begin(growing, answer.state, answer.logits)
        answer.next_draft += n
        answer.to_begin -= n
        return self._events(growing)

    def _grow(self) -> list[Event]:
        growing = self._batch.growing
        if not growing:
            return []
        self.measures.stepped(len(self._batch))
        try:
            self._batch.grow()
        except torch.AcceleratorError:
            raise
        except Exception as error:  # the states may be half changed: every answer in the batch is lost
            message = _loss(error)
            ids = dict.fromkeys(one.answer for one in growing)
            return [event for id in ids for event in self._lose(id, message)]
        return self._events(growing)

    def _events(self, growing: list[Growing]) -> list[Event]:
        """What became of these drafts by the token that each has just drawn. Those that end leave the batch."""
        events: list[Event] = []
        for one in growing:
            self.measures.drew(one.answer, spoke=bool(one.gained))
            draft = one.draft
            if draft.ending is not None:
                self.measures.finished(one.answer)
                events.append(Finished(one.answer, draft.index, draft.text, draft.ending))
            elif one.gained:
                events.append(Grew(one.answer, draft.index, one.gained))
        self._batch.keep(lambda one: one.draft.ending is None)
        return events


def _loss(error: Exception) -> str:
    traceback.print_exception(error, file=sys.stderr)
    if is_out_of_memory(error):
        return "内存不够，这次没有生成。可再试一次，或减少候选数量。 / Out of memory; ask again or for fewer drafts."
    return f"生成失败（{type(error).__name__}），可再试一次。 / Generation failed; ask again."
