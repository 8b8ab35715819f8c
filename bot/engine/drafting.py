"""One draft: the tokens that were drawn for it become text that ends where it should. Runs no model."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache

import torch

from bot.engine.sampling.bias import Bias
from bot.engine.sampling.chances import Chances
from bot.engine.sampling.repetition import Repeats
from bot.engine.sampling.wording import Entries, Wording, wording
from bot.engine.text_stops import TextStops, WholeCharacters
from bot.engine.tokenizer import Tokenizer
from bot.engine.types import Ending, Prompt, Sampling

REMEMBERED = 1 << 14
"""Parts of prompts whose tokens are remembered: some scenes of thousands of lines, in a few megabytes."""


class Vocabulary:
    """A tokenizer and what drafting needs to know of its entries."""

    def __init__(self, tokenizer: Tokenizer, rows: int) -> None:
        """`rows` is the vocabulary size of the model, which may be rounded up."""
        self.tokenizer = tokenizer
        self.rows = rows
        self.entries = [tokenizer.token_bytes(token) for token in range(min(tokenizer.size, rows))]
        ending = [i for i, entry in enumerate(self.entries) if i == tokenizer.end or b"\n" in entry]
        self.endings = torch.tensor(ending, dtype=torch.long)
        """The end of a text and every entry with a line break: a draft that must go on draws none of them."""
        quiet = [i for i, entry in enumerate(self.entries) if entry and not entry.strip(b" \t0123456789")]
        self.exempt = frozenset(quiet)
        """Digits, space and tab are never penalised, as in the `rwkv` package."""
        self.encode = lru_cache(maxsize=REMEMBERED)(self._encode)
        """The tokens of one part of a prompt. A story comes again with every request for drafts."""
        self.wording = lru_cache(maxsize=16)(self._wording)
        """The texts of a Sampling in this vocabulary. Raises WordingError for what it does not have."""

    def encode_prompt(self, prompt: Prompt) -> tuple[list[int], list[int]]:
        """The prompt's tokens, part by part, and how many of them stand at each of its `keep` places."""
        tokens: list[int] = []
        lengths = [0]
        for part in prompt.parts:
            tokens += self.encode(part)
            lengths.append(len(tokens))
        keep = [lengths[n] for n in prompt.keep if 0 < n < len(lengths)]
        tokens += self.tokenizer.encode(prompt.start_with)
        return tokens or [self.tokenizer.end], keep

    def entry(self, token: int) -> bytes:
        return self.entries[token] if token < len(self.entries) else b""

    def _encode(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer.encode(text))

    def _wording(self, sampling: Sampling) -> Wording:
        return wording(sampling, self._sorted, self.rows, self.tokenizer.encode)

    @cached_property
    def _sorted(self) -> Entries:
        return Entries(self.entries)


class Draft:
    """A draft in the making. It begins with `start_with`; white space at both ends is not part of it.

    Before `min_tokens`, and before anything visible was added to the beginning, it neither ends nor breaks the line.
    """

    def __init__(
        self,
        index: int,
        prompt: Prompt,
        sampling: Sampling,
        vocabulary: Vocabulary,
        seed: int,
        before: Sequence[int] = (),
    ) -> None:
        """`before`: the prompt's tokens; rules on repetition and on words look at the last. Raises WordingError."""
        words = vocabulary.wording(sampling)
        repeats = Repeats(sampling, before, words.breakers) if sampling.dry_multiplier else None
        self.index = index
        bias = Bias(words.leans, before) if words.leans else None
        self.chances = Chances(sampling, seed, vocabulary.exempt, bias, repeats)
        self.ending: Ending | None = None
        self._sampling = sampling
        self._vocabulary = vocabulary
        self._unsaid = words.unsaid
        self._said = prompt.start_with.encode()  # its last bytes, for `_unsaid`
        self._characters = WholeCharacters()
        self._stops = TextStops(prompt.stops)
        self._pieces = [prompt.start_with.lstrip()]
        self._new = self._pieces[0]
        self._begun = bool(self._new)  # white space before is not part of the text, after it is
        self._added = False  # something visible, to the beginning that was given
        self._drawn = 0

    @property
    def text(self) -> str:
        """All of it so far."""
        return "".join(self._pieces).rstrip()

    @property
    def forbidden(self) -> torch.Tensor | None:
        """Tokens that it must not draw next."""
        must_go_on = self._drawn < self._sampling.min_tokens or not self._added
        found = [self._vocabulary.endings] if must_go_on else []
        if self._unsaid is not None:
            found += self._unsaid.after(self._said)
        return torch.cat(found) if len(found) > 1 else found[0] if found else None

    def take(self, token: int) -> str:
        """Goes on by one token; returns what the text gained, which may be nothing."""
        self._drawn += 1
        if token == self._vocabulary.tokenizer.end:
            self._add(self._stops.flush())
            self.ending = Ending.STOP
            return self._gained()
        self.chances.drew(token)
        entry = self._vocabulary.entry(token)
        if self._unsaid is not None:
            self._said = (self._said + entry)[-self._unsaid.reach :] if self._unsaid.reach else b""
        self._add(self._stops.feed(self._characters.feed(entry)))
        if self._stops.stopped:
            self.ending = Ending.STOP
        elif self._drawn >= self._sampling.max_tokens:
            self._add(self._stops.flush())
            self.ending = Ending.LENGTH
        return self._gained()

    def _add(self, text: str) -> None:
        if not self._begun:
            text = text.lstrip()
        self._begun = self._begun or bool(text)
        self._added = self._added or bool(text.strip())
        self._pieces.append(text)
        self._new += text

    def _gained(self) -> str:
        gained, self._new = self._new, ""
        return gained
