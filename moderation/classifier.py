"""Suspects rough words that stand on no list: every letter, and every pair of letters, has a weight learnt from examples.

It ranks and flags. Its findings are of the category `suspect`, which stops nothing under any policy: it knows neither
irony nor who is quoted, and away from the texts that it learnt from it is often wrong. `tools/train_moderation.py`
makes the file of weights; docs/moderation-classifier.md says how good it is.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from math import exp, sqrt
from pathlib import Path
from typing import Any
from zlib import crc32

from moderation.verdict import MILD, Direction, Finding
from moderation.views import plain

WEIGHTS = Path(__file__).parent / "data" / "classifier.int8"
_START, _END = "\x02", "\x03"
_LETTER = 4  # bytes of one in UTF-32


def buckets(letters: str, count: int) -> set[int]:
    """Where the weights stand of the letters and pairs of a plain text, beginning and end included; 0 to `count` - 1."""
    written = f"{_START}{letters}{_END}".encode("utf-32-le", "surrogatepass")
    ends = range(_LETTER, len(written) + 1, _LETTER)
    single = {crc32(written[end - _LETTER : end]) % count for end in ends}
    single.update([crc32(written[end - 2 * _LETTER : end]) % count for end in ends[1:]])
    return single


class Classifier:
    """`file`: one line of JSON, {"version", "scale", "bias", "flag_from", …}, then one signed byte a weight.

    Raises OSError or ValueError where that file cannot be used: it is the project's own.
    """

    name = "classifier"

    def __init__(self, file: Path = WEIGHTS) -> None:
        header, _, weights = file.read_bytes().partition(b"\n")
        self.about: dict[str, Any] = json.loads(header)
        self.version = str(self.about["version"])
        self._scale, self._bias = float(self.about["scale"]), float(self.about["bias"])
        self._flag_from = float(self.about["flag_from"])
        self._weights = array("b", weights)
        if not self._weights:
            raise ValueError(f"{file} holds no weights")

    def score(self, text: str) -> float:
        """How likely these words are to be found rough, 0 to 1; 0.5 is where examples are told apart best."""
        return self._score(plain(text).text)

    def check(self, text: str, direction: Direction) -> Iterator[Finding]:
        """At most one finding, at the words that weigh the most."""
        seen = plain(text)
        score = self._score(seen.text)
        if score >= self._flag_from:
            start, end = seen.original(*self._heaviest(seen.text))
            reason = f"像是难听的话（模型估计 {score:.0%}，常会估错）"
            yield Finding("suspect", MILD, "classifier", start, end, reason, source=f"{self.name} {self.version}")

    def _score(self, letters: str) -> float:
        if not letters:
            return 0.0
        found = buckets(letters, len(self._weights))
        total = sum(map(self._weights.__getitem__, found))
        return 1 / (1 + exp(-(self._scale * total / sqrt(len(found)) + self._bias)))

    def _heaviest(self, letters: str) -> tuple[int, int]:
        """The piece, not empty, whose letters and pairs weigh the most together."""
        count = len(self._weights)
        best, start, place, total = float("-inf"), 0, (0, 1), 0.0
        for end, letter in enumerate(letters, start=1):
            if total <= 0:
                start, total = end - 1, 0.0
            total += self._weights[crc32(letter.encode("utf-32-le", "surrogatepass")) % count]
            if end - start > 1:
                total += self._weights[crc32(letters[end - 2 : end].encode("utf-32-le", "surrogatepass")) % count]
            if total > best:
                best, place = total, (start, end)
        return place
