"""How a text sounds: one letter a syllable, from Chinese letters, from emoji and from what is typed in Latin ones.

Tones make no difference. A syllable's letter is of the private use area, which `plain` takes out of every text, so it
can stand for nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from moderation.views.tables import syllables
from moderation.views.view import View, view_of

_EMOJI = {
    "ma": "🐴🐎🦄", "ji": "🐔🐓🐣", "gou": "🐶🐕", "zhu": "🐷🐖", "shi": "💩", "dan": "🥚", "gui": "🐢", "cao": "🌿🍀",
    "yao": "💊", "dao": "🔪", "ye": "👴", "ri": "🌞", "bi": "🖊", "niao": "🐦", "lang": "🐺", "si": "💀",
}  # fmt: skip
_SPOKEN_EMOJI = frozenset("".join(_EMOJI.values()))
_SOUNDS = syllables() | {letter: sound for sound, letters in _EMOJI.items() for letter in letters}
_LETTER = {sound: chr(0xE000 + number) for number, sound in enumerate(sorted(set(_SOUNDS.values())))}
_SYLLABLE = {letter: sound for sound, letter in _LETTER.items()}
_SPOKEN = {ord(letter): _LETTER[sound] for letter, sound in _SOUNDS.items()}
_TYPED = {sound for sound in _LETTER if set(sound) & set("aeiouv")}  # not "n", or "animation" would be pinyin
_LONGEST = max(map(len, _LETTER))
_LONGEST_RUN = 30  # Latin letters in a row; whoever writes more than five syllables so is not read by people either
_PIECE = re.compile(f"[a-z]+|[^\\W_]|[{''.join(_SPOKEN_EMOJI)}]")
_LATIN = re.compile("[a-z]")


def pinyin(seen: View) -> View:
    """Without what stands between letters. Latin letters that are no pinyin stay as they are, and so does the rest."""
    if _LATIN.search(seen.text):
        return view_of(_letters(seen))
    text = seen.text.translate(_SPOKEN)
    if seen.text.isalnum():
        return View(text, seen.starts, seen.ends)
    kept = [at for at, letter in enumerate(seen.text) if letter.isalnum() or letter in _SPOKEN_EMOJI]
    return View("".join([text[at] for at in kept]), [seen.starts[at] for at in kept], [seen.ends[at] for at in kept])


def sounds(term: str) -> set[str]:
    """How a term, in plain letters, may stand in such a view: by its syllables, and as its pinyin is read when it is
    typed in one run, which may be zhun-ao-zi for zhu-nao-zi, or no pinyin at all where a Latin letter is in it.
    """
    typed = "".join(_SOUNDS.get(letter, letter) for letter in term)
    in_one = "".join(_LETTER[syllable] for syllable in read_pinyin(typed)) or typed
    return {way for way in (term.translate(_SPOKEN), in_one) if len(way) > 1}  # one syllable is in every sentence


def spelled(view: View) -> str:
    """Such a view for people."""
    return " ".join(_SYLLABLE.get(letter, letter) for letter in view.text)


def _letters(seen: View) -> Iterator[tuple[str, int, int]]:
    for piece in _PIECE.finditer(seen.text):
        parts = read_pinyin(piece[0])
        letters = "".join(_LETTER[part] for part in parts) or piece[0].translate(_SPOKEN)
        start = piece.start()
        for part, letter in zip(parts or piece[0], letters, strict=True):
            yield letter, *seen.original(start, start + len(part))
            start += len(part)


@lru_cache(maxsize=4096)
def read_pinyin(run: str) -> tuple[str, ...]:
    """The syllables of a run of Latin letters, long ones first; empty where it cannot be read to its end."""
    if len(run) > _LONGEST_RUN:
        return ()
    for size in range(min(_LONGEST, len(run)), 0, -1):
        if run[:size] in _TYPED:
            if size == len(run):
                return (run,)
            if rest := read_pinyin(run[size:]):
                return (run[:size], *rest)
    return ()
