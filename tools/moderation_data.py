"""Reads the public texts that the classifier learns from and is measured on. None of them is part of the project.

A maintainer puts these files into one folder, each as `.csv` or `.csv.gz` where it is a table:

| file | from | licence |
|---|---|---|
| cold_train, cold_dev, cold_test | github.com/thu-coai/COLDataset @ a0c55a9, COLDataset/{train,dev,test}.csv | Apache-2.0 |
| swsr_train | github.com/aggiejiang/SWSR @ 7b32018, SexComment.csv, four fifths, without what it says of authors | MIT |
| kdconv_{film,music,travel}_{dev,test}.json | github.com/thu-coai/KdConv @ 653db76, data/*/{dev,test}.json | Apache-2.0 |
| toy_train.txt, toy_valid.txt | github.com/thu-coai/CDial-GPT @ 8106486, data/ | MIT |
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

Example = tuple[str, bool]  # a text, and whether people found it rough
TOPICS = ("film", "music", "travel")
TEXT_COLUMNS = ("TEXT", "text", "comment_text")


@dataclass(frozen=True, slots=True)
class Texts:
    """`dropped`: how many texts of the COLDataset's `train` and `dev` are not used, since `test` has them too.

    `chat_train` and `chat_choose` are ordinary chat to learn from and to choose a threshold with; `chat_test` is what
    is left, by source, for measuring.
    """

    train: list[Example]
    dev: list[Example]
    test: list[Example]
    swsr: list[Example]
    chat_train: list[str]
    chat_choose: list[str]
    chat_test: dict[str, list[str]]
    dropped: int


def read_texts(folder: Path) -> Texts:
    """Raises OSError where a file is missing and ValueError where it is another one."""
    train, dev, test = (_table(folder, f"cold_{part}") for part in ("train", "dev", "test"))
    measured = {text for text, _ in test}
    kept = [[one for one in part if one[0] not in measured] for part in (train, dev)]
    learnt = {line for topic in TOPICS for line in _dialogues(folder / f"kdconv_{topic}_dev.json")}
    pairs = _lines(folder / "toy_train.txt")
    seen = learnt | set(pairs)
    chat_test = {
        "KdConv": [line for topic in TOPICS for line in _dialogues(folder / f"kdconv_{topic}_test.json")],
        "CDial-GPT": _lines(folder / "toy_valid.txt"),
    }
    return Texts(
        train=kept[0],
        dev=kept[1],
        test=test,
        swsr=_table(folder, "swsr_train"),
        chat_train=[*sorted(learnt), *pairs[::2]],
        chat_choose=pairs[1::2],
        chat_test={name: _once(line for line in lines if line not in seen) for name, lines in chat_test.items()},
        dropped=len(train) + len(dev) - len(kept[0]) - len(kept[1]),
    )


def _table(folder: Path, name: str) -> list[Example]:
    """The columns `TEXT` and `label` of a table, whatever else it has."""
    packed = folder / f"{name}.csv.gz"
    content = gzip.decompress(packed.read_bytes()) if packed.exists() else (folder / f"{name}.csv").read_bytes()
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    column = next((column for column in TEXT_COLUMNS if rows and column in rows[0]), None)
    if column is None or "label" not in rows[0]:
        raise ValueError(f"{folder / name}: no columns {'/'.join(TEXT_COLUMNS)} and label")
    return [(row[column], row["label"] == "1") for row in rows]


def _dialogues(file: Path) -> list[str]:
    return [one["message"] for talk in json.loads(file.read_text(encoding="utf-8")) for one in talk["messages"]]


def _lines(file: Path) -> list[str]:
    """Question and answer, a tab between them and a space between letters, which is taken out."""
    pairs = file.read_text(encoding="utf-8").splitlines()
    return _once(part.replace(" ", "") for pair in pairs for part in pair.split("\t"))


def _once(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(line for line in lines if line.strip()))
