"""Makes the tables of letters that `moderation` reads, from the packages that hold them. Run by a maintainer:

    pip install OpenCC==1.4.2 pypinyin==0.55.0 jieba==0.42.1
    python -m tools.make_letter_tables

traditional.txt: pairs of a traditional letter and its simplified one (OpenCC, Apache-2.0). pinyin.tsv: a syllable without
its tone and the letters that are read so first of all (pypinyin, MIT). common.txt: the most frequent words of two to four
letters, with their help `lint` tells which terms sound like an everyday word (jieba, MIT).
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from pathlib import Path

DATA = Path(__file__).parent.parent / "moderation" / "data"
HAN = range(0x4E00, 0xA000)
COMMON_WORDS = 12_000


def main() -> None:
    simplified = simplified_letters()
    (DATA / "traditional.txt").write_text(
        "# From OpenCC 1.4.2 (Apache-2.0), made by tools/make_letter_tables.py.\n" + _in_lines(simplified),
        encoding="utf-8",
    )
    known = [chr(code) for code in HAN if chr(code) not in simplified and _in_daily_use(chr(code))]
    (DATA / "pinyin.tsv").write_text(
        "# From pypinyin 0.55.0 (MIT), made by tools/make_letter_tables.py.\n" + _by_syllable(known), encoding="utf-8"
    )
    (DATA / "common.txt").write_text(
        "# From jieba 0.42.1 (MIT), made by tools/make_letter_tables.py.\n" + "\n".join(common_words()) + "\n",
        encoding="utf-8",
    )


def simplified_letters() -> dict[str, str]:
    """Traditional letter to simplified, where both are one letter."""
    from opencc import OpenCC

    convert = OpenCC("t2s").convert
    pairs = {chr(code): convert(chr(code)) for code in HAN}
    return {old: new for old, new in pairs.items() if old != new and len(new) == 1}


def common_words() -> list[str]:
    """The most frequent first."""
    import jieba

    text = (Path(jieba.__file__).parent / "dict.txt").read_text(encoding="utf-8")
    rows = [line.split(" ") for line in text.splitlines()]
    counted = [(int(count), word) for word, count, _ in rows if re.fullmatch("[一-鿿]{2,4}", word)]
    return [word for _, word in sorted(counted, reverse=True)[:COMMON_WORDS]]


def _in_daily_use(letter: str) -> bool:
    """In GBK, which holds every letter that a Chinese keyboard gives."""
    return _encodes(letter, "gbk")


def _encodes(letter: str, encoding: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _by_syllable(letters: list[str]) -> str:
    from pypinyin.constants import PINYIN_DICT

    by_syllable: dict[str, list[str]] = defaultdict(list)
    for letter in letters:
        if reading := PINYIN_DICT.get(ord(letter)):
            by_syllable[_toneless(reading.split(",")[0])].append(letter)
    return "".join(f"{syllable}\t{''.join(found)}\n" for syllable, found in sorted(by_syllable.items()))


def _toneless(reading: str) -> str:
    """`lǜ` as it is typed: `lv`."""
    letters = unicodedata.normalize("NFD", reading)
    return (
        unicodedata.normalize("NFC", re.sub("[\u0300\u0301\u0304\u030c]", "", letters))
        .replace("ü", "v")
        .replace("ê", "e")
    )


def _in_lines(pairs: dict[str, str], width: int = 50) -> str:
    flat = [old + new for old, new in pairs.items()]
    return "".join("".join(flat[start : start + width]) + "\n" for start in range(0, len(flat), width))


if __name__ == "__main__":
    main()
