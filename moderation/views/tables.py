"""What is known of single letters, read from `moderation/data`. `tools/make_letter_tables.py` makes two of the files."""

from __future__ import annotations

from pathlib import Path

DATA = Path(__file__).parent.parent / "data"


def lines_of(name: str) -> list[str]:
    """The lines of one of our own files, without comments and empty ones."""
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def simplified() -> dict[str, str]:
    """Traditional letter to simplified."""
    return {line[place]: line[place + 1] for line in lines_of("traditional.txt") for place in range(0, len(line), 2)}


def syllables() -> dict[str, str]:
    """Letter to its syllable without the tone, as it is typed: 女 is `nv`."""
    rows = [line.split("\t") for line in lines_of("pinyin.tsv")]
    return {letter: syllable for syllable, letters in rows for letter in letters}


def split_letters() -> dict[str, tuple[str, ...]]:
    """Letter to the pieces that it is written in: 婊 as 女表."""
    rows = [line.split("\t") for line in lines_of("split.tsv")]
    return {letter: tuple(ways.split()) for letter, ways in rows}


def _look_alikes() -> dict[str, str]:
    """Letters of other scripts, and signs, that are drawn like one of ours. Our own table."""
    drawn = {
        "a": "аαɑᴀ⒜", "b": "вьƅʙᏏ⒝", "c": "сϲᴄⅽ⒞", "d": "ԁɗᴅ⒟", "e": "еεєҽᴇ⒠", "f": "ƒғꜰ⒡", "g": "ɡցɢ⒢",
        "h": "һнհʜ⒣", "i": "іιıɪӏ⒤", "j": "јϳᴊ⒥", "k": "кκᴋ⒦", "l": "ⅼʟɭ⒧", "m": "мᴍⅿ⒨", "n": "ηпոɴ⒩",
        "o": "оοσօᴏ⒪", "p": "рρᴘ⒫", "q": "ԛգ⒬", "r": "гʀᴦ⒭", "s": "ѕʂꜱ⒮", "t": "тτᴛ⒯", "u": "υսцᴜ⒰",
        "v": "ѵνᴠ⒱", "w": "ԝшωᴡ⒲", "x": "хχ×⒳", "y": "уγүʏ⒴", "z": "ᴢʐ⒵",
        "0": "⓪⓿🄋", "1": "❶➀➊⓵", "2": "❷➁➋⓶", "3": "❸➂➌⓷", "4": "❹➃➍⓸",
        "5": "❺➄➎⓹", "6": "❻➅➏⓺", "7": "❼➆➐⓻", "8": "❽➇➑⓼", "9": "❾➈➒⓽",
    }  # fmt: skip
    table = {odd: letter for letter, odds in drawn.items() for odd in odds}
    for first in (0x1F110, 0x1F1E6):  # in brackets; the letters that flags are made of
        table.update({chr(first + index): chr(ord("a") + index) for index in range(26)})
    return table


LOOK_ALIKES = _look_alikes()
