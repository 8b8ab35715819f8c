"""How people write a word so that a list does not find it: the techniques that the lists are held to."""

from __future__ import annotations

import random
from collections.abc import Callable

from moderation.terms import Term
from moderation.views.tables import simplified, split_letters, syllables

Hide = Callable[[str, random.Random], str | None]  # None: this word cannot be hidden so

_TRADITIONAL = {new: old for old, new in simplified().items()}
_SPLIT = split_letters()
_SYLLABLES = syllables()
_HOMOPHONES: dict[str, list[str]] = {}
for _letter, _syllable in _SYLLABLES.items():
    _HOMOPHONES.setdefault(_syllable, []).append(_letter)

_LEET = str.maketrans("oieast", "013457")
_LOOK_ALIKES = str.maketrans("aceopxyiks", "асеорхуікѕ")


def between(*fillers: str) -> Hide:
    """One of these between every two letters; a word's own spaces stay."""
    return lambda word, source: "".join(
        letter + ("" if place == len(word) - 1 or letter == " " else source.choice(fillers))
        for place, letter in enumerate(word)
    )


def apart(filler: str) -> Hide:
    """The same filler everywhere, own spaces given up."""
    return lambda word, _: filler.join(word.replace(" ", ""))


def changed(make: Callable[[str], str]) -> Hide:
    def hide(word: str, _: random.Random) -> str | None:
        hidden = make(word)
        return hidden if hidden != word else None

    return hide


def _styled(base: int) -> Hide:
    return changed(
        lambda word: "".join(chr(base + ord(letter) - 97) if "a" <= letter <= "z" else letter for letter in word)
    )


def _wide(word: str) -> str:
    return "".join(chr(ord(letter) + 0xFEE0) if "!" <= letter <= "~" else letter for letter in word)


def _reversed(word: str, _: random.Random) -> str | None:
    enough = len(word) >= (4 if word.isascii() else 2) and " " not in word
    return word[::-1] if enough and word != word[::-1] else None


def _split(word: str, source: random.Random) -> str | None:
    return changed(lambda each: "".join(source.choice(_SPLIT.get(letter, (letter,))) for letter in each))(word, source)


def _latin(word: str) -> str | None:
    return word if word.isascii() else None


def _homophones(word: str, source: random.Random) -> str | None:
    return changed(lambda each: "".join(source.choice(_alike(letter)) for letter in each))(word, source)


def _alike(letter: str) -> list[str]:
    sound = _SYLLABLES.get(letter)
    return [other for other in _HOMOPHONES[sound] if other != letter] or [letter] if sound else [letter]


def _one_in_pinyin(word: str, source: random.Random) -> str | None:
    places = [place for place, letter in enumerate(word) if letter in _SYLLABLES]
    if not places:
        return None
    place = source.choice(places)
    return f"{word[:place]}{_SYLLABLES[word[place]]}{word[place + 1 :]}"


def _in_pinyin(filler: str) -> Hide:
    return changed(lambda word: filler.join(_SYLLABLES.get(letter, letter) for letter in word))


TECHNIQUES: dict[str, Hide] = {
    "plain": lambda word, _: word,
    "zero-width": between("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad"),
    "bidirectional": between("\u202e", "\u202c", "\u200f", "\u2066"),
    "full-width": changed(_wide),
    "traditional": changed(lambda word: "".join(_TRADITIONAL.get(letter, letter) for letter in word)),
    "punctuation": between(".", "-", "*", "_", "、", "…", "/"),
    "spaces": apart(" "),
    "emoji": between("🤡", "😀", "❤️", "👨‍👩‍👧"),
    "one letter a line": apart("\n"),
    "repeated": lambda word, source: "".join(letter * source.randint(1, 4) for letter in word),
    "marks": lambda word, source: "".join(letter + source.choice("\u0301\u0336\u0489") * 3 for letter in word),
    "upper case": changed(str.upper),
    "bold Latin": _styled(0x1D41A),
    "squared Latin": _styled(0x1F170),
    "circled Latin": _styled(0x24D0),
    "flags": _styled(0x1F1E6),
    "Cyrillic": changed(lambda word: word.translate(_LOOK_ALIKES)),
    "split": _split,
    "reversed": _reversed,
}
LEET: Hide = changed(lambda word: word.translate(_LEET))
IN_PINYIN: dict[str, Hide] = {
    "one in pinyin": _one_in_pinyin,
    "joined pinyin": _in_pinyin(""),
    "spaced pinyin": _in_pinyin(" "),
    "homophones": _homophones,
}
CARRIERS = ("{}", "主播 {} 啊", "哈哈哈{}，笑死", "第3次了{}！")


def hidden(terms: list[Term], hide: Hide, seed: int = 5) -> list[tuple[Term, str]]:
    """Every term that can be hidden so, in every carrier."""
    source = random.Random(seed)
    made = ((term, carrier, hide(term.text, source)) for term in terms for carrier in CARRIERS)
    return [(term, carrier.format(text)) for term, carrier, text in made if text is not None]
