"""Measures the classifier of rough language on texts that it has not learnt from, and writes its report. Trains nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean

from moderation.classifier import Classifier
from moderation.verdict import Direction
from tools.moderation_data import Example, Texts

ROOT = Path(__file__).resolve().parent.parent


def area(scores: Sequence[float], rough: Sequence[bool]) -> float:
    """How often a rough text scores above an ordinary one; equal scores count half (area under the ROC curve)."""
    order = sorted(range(len(scores)), key=scores.__getitem__)
    ranks = [0.0] * len(scores)
    first = 0
    while first < len(order):
        last = first
        while last < len(order) and scores[order[last]] == scores[order[first]]:
            last += 1
        for place in order[first:last]:
            ranks[place] = (first + 1 + last) / 2
        first = last
    many = sum(rough)
    return (sum(rank for rank, one in zip(ranks, rough, strict=True) if one) - many * (many + 1) / 2) / (
        many * (len(rough) - many)
    )


def told_apart(classifier: Classifier, examples: Sequence[Example]) -> dict[str, float]:
    """Accuracy at 0.5, area under the curve, and what the flag finds and how much of that is rough."""
    scores, rough = [classifier.score(text) for text, _ in examples], [one for _, one in examples]
    flagged = [one for (text, one) in examples if any(classifier.check(text, Direction.IN))]
    return {
        "texts": len(examples),
        "accuracy": mean((score >= 0.5) is one for score, one in zip(scores, rough, strict=True)),
        "auc": area(scores, rough),
        "flag_recall": sum(flagged) / sum(rough),
        "flag_precision": mean(flagged) if flagged else 0.0,
    }


def flagged_share(classifier: Classifier, lines: Sequence[str]) -> float:
    return sum(any(classifier.check(line, Direction.IN)) for line in lines) / len(lines)


def demo_lines() -> list[str]:
    """What viewers write in the recorded show that ships: our own, and never trained on."""
    events = (ROOT / "adapters" / "demo_show.jsonl").read_text(encoding="utf-8").splitlines()
    return list(dict.fromkeys(text for text in (json.loads(event).get("text") for event in events) if text))


def figures(classifier: Classifier, texts: Texts) -> dict[str, dict[str, float]]:
    """What it reaches on texts that it never saw: `cold` by `told_apart`, `dotted` the same with a full stop after
    every letter, and the share of ordinary chat `flagged`, by source."""
    dotted = [("。".join(text), rough) for text, rough in texts.test]
    chat = {**texts.chat_test, "demo show": demo_lines()}
    return {
        "cold": told_apart(classifier, texts.test),
        "dotted": told_apart(classifier, dotted),
        "flagged": {name: flagged_share(classifier, lines) for name, lines in chat.items()},
    }


def report(classifier: Classifier, texts: Texts, held_out: dict[str, float]) -> str:
    """docs/moderation-classifier.md. `held_out`: the dev split's figures, from weights that had not seen it."""
    found = figures(classifier, texts)
    rows = {
        "COLDataset test": found["cold"],
        "COLDataset dev（没学过它的权重 / held out）": held_out,
        "COLDataset test，字间加句号 / a full stop between letters": found["dotted"],
    }
    table = "\n".join(
        f"| {name} | {one['texts']:,} | {one['accuracy']:.3f} | {one['auc']:.3f} | {one['flag_recall']:.2f} "
        f"| {one['flag_precision']:.2f} |"
        for name, one in rows.items()
    )
    counts = {name: len(lines) for name, lines in {**texts.chat_test, "demo show": demo_lines()}.items()}
    chat = "\n".join(f"| {name} | {counts[name]:,} | {share:.2%} |" for name, share in found["flagged"].items())
    about = classifier.about
    return _REPORT.format(
        version=about["version"],
        flag_from=about["flag_from"],
        table=table,
        chat=chat,
        dropped=texts.dropped,
        learnt=len(texts.train) + len(texts.dev) + len(texts.swsr) + len(texts.chat_train),
        safe=1 - mean(rough for _, rough in texts.test),
    )


_REPORT = """# 粗话分类器 / The classifier of rough language

`python tools/train_moderation.py 文件夹` 写出这一页和 `moderation/data/classifier.int8`（版本 {version}）：一个核约一分钟；同样的文本和
PyTorch 得到同样的权重。它只排序、只提醒：它的结论属于“疑似”，任何级别都不会因此拦下一句话。怎样工作见 [审核](moderation.md)。

`python tools/train_moderation.py FOLDER` writes this page and the weights: about a minute on one core; the same texts and PyTorch give
the same weights. It ranks and flags; a suspicion stops nothing at any level. How it works: [moderation](moderation.md).

学了 {learnt:,} 条。训练和 dev 里有 {dropped} 条也出现在 test 里，已从训练中去掉。设置按 dev 选定（其间也看过 test 的数字，所以 test 可能略微偏好）；提醒的门槛（{flag_from:.3f}）按另外一万条日常对话选定，
使其中千分之一被提醒。/ Learnt from {learnt:,} texts. {dropped} texts of train and dev that test has too were left out. Settings were chosen by the dev split (the test's figures were in sight, so they may flatter
a little), the flag's threshold by ten thousand other lines of ordinary chat, of which one in a thousand is flagged.

| 文本 / texts | 条 | 准确率 / accuracy | AUC | 提醒到的 / flag recall | 提醒中确实粗鲁的 / flag precision |
|---|---|---|---|---|---|
{table}

一律回答“没问题”的准确率是 {safe:.3f}。/ Answering "fine" always is right {safe:.3f} of the time.

| 日常对话 / ordinary chat | 条 / lines | 被提醒 / flagged |
|---|---|---|
{chat}

“demo show” 是自带录像里的弹幕，是我们自己写的，里面有故意骂人的一两句。其余两处是公开的对话，没有人逐条看过，其中也有骂人的话。
/ "demo show" is the recorded chat that ships, written by us, with a rude line or two on purpose; nobody has labelled the other two, which hold some as well.

## 它不会的 / What it cannot do

- 学的是微博和知乎上的长句，弹幕短得多；英文、日文没有学过。/ It learnt from long posts, not from danmaku, and knows no English or Japanese.
- 不懂反话、引用和语境；谐音、拆字、字间夹符号基本认不出（上表第三行），那些靠词表。/ No irony, quotation or context; disguises are the lists' work, as the third row shows.
- 数据里的标注带着标注者的看法：地域、性别、种族的话题更容易被怀疑。/ Its labels carry their authors' views: region, gender and race raise suspicion.

## 来源 / Sources

| 数据 / data | 用来 / for | 许可 / licence |
|---|---|---|
| [COLDataset](https://github.com/thu-coai/COLDataset)（Deng et al., EMNLP 2022），a0c55a9 | 学习；测量 / learning; measuring | Apache-2.0 |
| [SWSR](https://github.com/aggiejiang/SWSR)（Jiang et al., 2022），7b32018 | 学习 / learning | MIT |
| [KdConv](https://github.com/thu-coai/KdConv)，653db76，dev；test | 学习；测量 / learning; measuring | Apache-2.0 |
| [CDial-GPT](https://github.com/thu-coai/CDial-GPT)，8106486，toy_train；toy_valid | 学习、门槛；测量 / learning, threshold; measuring | MIT |

项目里没有这些文本，只有权重；从权重里读不回原文。许可全文在 `moderation/data/classifier-licences.txt`。
/ None of these texts is part of the project: only weights of hashed letters are. The licences stand in `moderation/data/classifier-licences.txt`.
"""
