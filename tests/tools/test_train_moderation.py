"""The tool that trains the classifier: reading the public texts, learning, and what its report says."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import torch

from moderation.classifier import Classifier
from tools import train_moderation
from tools.moderation_data import read_texts
from tools.moderation_report import area, report, told_apart

ROUGH = [f"{who}真是{what}" for who in "甲乙丙丁戊己" for what in ("坏蛋", "坏东西", "大坏蛋", "坏坏坏")]
FINE = [f"{who}真是{what}" for who in "甲乙丙丁戊己" for what in ("好人", "好伙伴", "大好人", "好好好")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The files that a maintainer has, with invented texts: 坏 is rough, 好 is not."""
    rows = [f"{text},1" for text in ROUGH] + [f"{text},0" for text in FINE]
    for name, part in (("train", rows[::2]), ("dev", rows[1::2]), ("test", [*rows[1::4], "子真是坏人,1"])):
        table = "\n".join(["TEXT,label", *part])
        (tmp_path / f"cold_{name}.csv.gz").write_bytes(gzip.compress(f"\ufeff{table}".encode()))
    (tmp_path / "swsr_train.csv").write_text("text,label,category\n坏得很,1,x\n好得很,0,\n", encoding="utf-8")
    for topic in ("film", "music", "travel"):
        for part in ("dev", "test"):
            talk = [{"messages": [{"message": f"{topic}好看吗"}, {"message": f"{part}里的好看"}]}]
            (tmp_path / f"kdconv_{topic}_{part}.json").write_text(json.dumps(talk), encoding="utf-8")
    (tmp_path / "toy_train.txt").write_text("吃 了 吗\t吃 了\n来 了\t来 啦\n", encoding="utf-8")
    (tmp_path / "toy_valid.txt").write_text("吃 了 吗\t还 没 吃\n", encoding="utf-8")
    return tmp_path


def test_what_is_measured_is_never_learnt(folder: Path) -> None:
    """Texts of the test set are taken out of the others, lines of chat for learning out of those for measuring."""
    texts = read_texts(folder)
    measured = {text for text, _ in texts.test}
    assert not measured & {text for text, _ in (*texts.train, *texts.dev)}
    assert texts.dropped == len(measured) - 1
    assert texts.chat_test == {"KdConv": ["test里的好看"], "CDial-GPT": ["还没吃"]}
    assert not {*texts.chat_train} & {*texts.chat_choose}


def test_a_wrong_file_is_named(folder: Path) -> None:
    (folder / "cold_test.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2"))
    with pytest.raises(ValueError, match="cold_test"):
        read_texts(folder)


def test_it_learns_and_says_so(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it was not shown is told apart; the same texts give the same weights; the report has the figures."""
    monkeypatch.setattr(train_moderation, "BUCKETS", 1 << 12)
    monkeypatch.setattr(train_moderation, "EPOCHS", 200)
    texts, file = read_texts(folder), folder / "classifier.int8"
    classifier = train_moderation.make(texts, "1", file, with_dev=True)
    first = file.read_bytes()
    assert train_moderation.make(texts, "1", file, with_dev=True) and file.read_bytes() == first
    found = told_apart(classifier, texts.test)
    assert found["auc"] == 1 and found["accuracy"] > 0.9
    said = report(classifier, texts, found)
    assert f"| COLDataset test | 13 | {found['accuracy']:.3f} | 1.000 |" in said


def test_rounding_to_bytes_keeps_the_weights(tmp_path: Path) -> None:
    """The greatest weight becomes 127 or -127 and the others their share of it."""
    file = tmp_path / "weights"
    train_moderation.save(torch.tensor([0.5, -1.0, 0.0]), 0.25, 0.5, "1", file)
    classifier = Classifier(file)
    assert [*file.read_bytes()[-3:]] == [64, 129, 0]
    assert classifier.about["scale"] * -127 == pytest.approx(-1) and classifier.about["bias"] == 0.25


def test_what_was_reached_is_noted_in_the_file(tmp_path: Path) -> None:
    """Beside what it is, which stays; the weights stay too."""
    file = tmp_path / "weights"
    train_moderation.save(torch.tensor([0.5, -1.0]), 0.25, 0.5, "1", file)
    before = Classifier(file)
    train_moderation.note(file, {"cold": {"auc": 0.9}})
    after = Classifier(file)
    assert after.about == before.about | {"cold": {"auc": 0.9}}
    assert after.score("好") == before.score("好")


def test_area_under_the_curve() -> None:
    """By hand: 3 of 4 pairs in order; equal scores count half."""
    assert area([0.1, 0.4, 0.35, 0.8], [False, False, True, True]) == 0.75
    assert area([0.5, 0.5, 0.5], [True, False, False]) == 0.5
