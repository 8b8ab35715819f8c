"""Our own list and the user's, read together. A list that would flag everyday chat is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from moderation.terms import Term, WordListError, load_words
from moderation.verdict import Direction
from moderation.views.tables import DATA, lines_of
from moderation.words import WordFilter

DEFAULT_WORDS = DATA / "words.tsv"
# More than one in a hundred, and a person at the panel stops looking at what is pointed out.
MOST_FALSE = 0.01


@dataclass(frozen=True, slots=True)
class Alarms:
    """What a list flags in chat that nobody would flag."""

    lines: int
    flagged: int
    words: tuple[tuple[str, int], ...]  # the worst first, with how many lines

    @property
    def share(self) -> float:
        return self.flagged / self.lines if self.lines else 0.0

    @property
    def too_many(self) -> bool:
        return self.share > MOST_FALSE


def load_lists(files: Sequence[Path], *, force: bool = False) -> WordFilter:
    """Raises WordListError; `force` takes lists that flag everyday chat, too."""
    by_file = {file: load_words(file) for file in files}
    own = load_words(DEFAULT_WORDS)
    exceptions = [term for terms in (own, *by_file.values()) for term in terms if term.exception]
    for file, terms in by_file.items():
        if not force:
            _refuse_false_alarms(file, (*terms, *exceptions))
    return WordFilter([*own, *(term for terms in by_file.values() for term in terms)])


def benign_lines(file: Path | None = None) -> list[str]:
    """Everyday chat: a file of the user's, a message a line, or our own invented lines. Raises WordListError."""
    if file is None:
        return lines_of("benign.txt")
    try:
        return [line for line in file.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise WordListError(f"{file}：读不了，请给一个 UTF-8 文本，一行一句。 Cannot be read.") from error


def false_alarms(terms: Iterable[Term], lines: Sequence[str]) -> Alarms:
    """How many of the lines the terms flag, and which terms do."""
    words = WordFilter(terms)
    by_line = [{one.rule.removeprefix("word:") for one in words.check(line, Direction.IN)} for line in lines]
    counted = Counter(word for found in by_line for word in found)
    return Alarms(len(lines), sum(map(bool, by_line)), tuple(counted.most_common()))


def _refuse_false_alarms(file: Path, terms: Sequence[Term]) -> None:
    alarms = false_alarms(terms, benign_lines())
    if alarms.too_many:
        worst = "、".join(f"{word}（{count}）" for word, count in alarms.words[:5])
        raise WordListError(
            f"{file}：{alarms.lines} 句平常的弹幕里误伤 {alarms.flagged} 句（{alarms.share:.1%}），最多的是 {worst}。"
            f"请用 cohost moderation lint 查看并删掉；一定要用就写 moderation.force: true。 Flags everyday chat."
        )
