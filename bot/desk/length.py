"""How long the fed text has become, and when it is time for a refresh. Pure, but for a memory of token counts.

A state has no limit of tokens, yet a model that reads far more than it was trained on forgets, and a model that reads
its own repetitions repeats itself. A refresh lets it read background, notes, lore, a summary and the last lines anew.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence

from bot.engine.types import Counted, Engine
from bot.scenario import Line, Origin

USUAL_CONTEXT = 4096
"""Tokens that a model of whose training nothing is known is taken to have been trained on at once."""

RECENT = 24
"""Lines in which repetitions are looked for."""

SAME = 8
"""Letters in a row that count as a repetition when they come again."""

TOO_MUCH = 0.25
"""Share of repeated letters that is advised against. Prose has below 0.05."""

REMEMBERED = 50_000
"""Texts whose counts are remembered."""


def trained_context(model: str) -> int:
    """How many tokens a model was trained on at once, by its file's name (…-ctx8192.pth)."""
    found = re.search(r"ctx(\d{3,7})", model)
    return int(found[1]) if found else USUAL_CONTEXT


def repetition(lines: Sequence[Line]) -> float:
    """The share, from 0 to 1, of what the last lines say that they had said before, by letters in a row."""
    seen = set[str]()
    again = total = 0
    for line in [line for line in lines if line.origin is not Origin.SYSTEM][-RECENT:]:
        text = "".join(letter for letter in line.text if letter.isalnum())
        pieces = [text[at : at + SAME] for at in range(len(text) - SAME + 1)] or [text]
        again += sum(piece in seen for piece in pieces if piece)
        total += len([piece for piece in pieces if piece])
        seen.update(pieces)
    return again / total if total else 0.0


def advice(tokens: int, context: int, repeated: float = 0.0) -> str | None:
    """For people: whether a refresh is advisable, and why. None: it is not."""
    if tokens > context:
        return (
            f"模型要读 {tokens:,} 个 token，训练时一次只读过 {context:,} 个，写远了会走样。建议刷新：写好前情，只带最后几句。"
            " Longer than the model was trained on; a refresh is advisable."
        )
    if repeated >= TOO_MUCH:
        return (
            f"最近 {RECENT} 句里有 {repeated:.0%} 是重复的话，模型会越学越像。建议改掉重复的句子，或刷新。"
            " The last lines repeat themselves; edit them, or refresh."
        )
    return None


class TokenCounts:
    """Asks the engine once for each text. Estimates are not remembered: the engine may soon know better."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: OrderedDict[str, int] = OrderedDict()

    async def of(self, texts: Sequence[str]) -> Counted:
        """Of each of the texts by itself. Never fails."""
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        counted = await self._engine.count(new) if new else Counted(())
        found = dict(zip(new, counted.tokens, strict=True))
        tokens = tuple(found[text] if text in found else self._known[text] for text in texts)
        if counted.exact:
            self._remember(found)
        return Counted(tokens, counted.exact)

    def _remember(self, found: dict[str, int]) -> None:
        """The first that was learned gives way."""
        self._known |= found
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
