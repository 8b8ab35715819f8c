"""Measures a trained demo model on viewers' lines that training never saw, and writes docs/demo-model.md. Trains nothing."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

import torch
import torch.nn.functional as F

from bot.engine.drafting import Draft, Vocabulary
from bot.engine.prompting import live_prompt
from bot.engine.rwkv7 import Model, load_model
from bot.engine.sampling.chances import draw
from bot.engine.state import State
from bot.engine.tokenizer import find_tokenizer
from bot.engine.types import Ending, Prompt, Sampling
from bot.scenario import VIEWER, Line, Origin, Scenario, load_scenario
from tools.demo_corpus import SLOT, SPEAKERS, Corpus, Exchange, expand, load_corpus, show

SCENARIO = Path(__file__).resolve().parent.parent / "bot" / "engine" / "demo" / "scenario.json"
SAMPLING = Sampling(max_tokens=60, seed=1)
DRAFTS = 5
SAMPLES = 40
NEAR = 0.5
"""A reply less alike than this to every reply of the corpus counts as belonging to no intent."""


TURNS = tuple(f"{name}{colon}" for name in (*SPEAKERS, "主播") for colon in ":：")


@dataclass(frozen=True, slots=True)
class Answered:
    exchange: Exchange  # `reply` is the corpus's
    rounds: int  # of unrelated talk before it
    drafts: tuple[str, ...]
    ended: tuple[bool, ...]
    nll: float  # of the corpus's reply, summed over its tokens
    tokens: int


class Player:
    """The model as the engine runs it, many prompts at once."""

    def __init__(self, folder: Path) -> None:
        self.model: Model = load_model(folder / "model.safetensors", "cpu fp32")
        self.vocabulary = Vocabulary(find_tokenizer(folder / "model.safetensors", self.model.vocab), self.model.vocab)
        self.scenario: Scenario = load_scenario(SCENARIO)

    def prompt(self, history: Sequence[Exchange], viewer: str) -> Prompt:
        said = [(Line(VIEWER, past.viewer), Line(self.name, past.reply, Origin.MODEL)) for past in history]
        lines = [line for pair in said for line in pair]
        return live_prompt(self.scenario, lines, Line(VIEWER, viewer), turns=32)

    @property
    def name(self) -> str:
        return self.scenario.speaker

    def read(self, prompt: Prompt) -> tuple[torch.Tensor, State]:
        tokens, _ = self.vocabulary.encode_prompt(prompt)
        state = self.model.zero_state()
        return self.model.forward(torch.tensor([tokens]), state), state

    def drafts(self, prompt: Prompt, start: tuple[torch.Tensor, State], sampling: Sampling, count: int) -> list[Draft]:
        seed = sampling.seed or 0
        drafts = [Draft(i, prompt, sampling, self.vocabulary, seed + i) for i in range(count)]
        logits, state = start[0].repeat(count, 1), start[1].repeat(count)
        going = drafts
        while going:
            tokens = draw(logits, [draft.chances for draft in going], [draft.forbidden for draft in going])
            for draft, token in zip(going, tokens, strict=True):
                draft.take(token)
            rows = [i for i, draft in enumerate(going) if draft.ending is None]
            if not rows:
                break
            going = [going[i] for i in rows]
            state = state[rows]
            logits = self.model.forward(torch.tensor([[tokens[i]] for i in rows]), state)
        return drafts

    def loss(self, start: tuple[torch.Tensor, State], reply: str) -> tuple[float, int]:
        """Of a given reply and the blank line after it."""
        encode = self.vocabulary.tokenizer.encode
        tokens = torch.tensor([encode(f" {reply}") + encode("\n\n")])
        later = self.model.forward_all(tokens[:, :-1], start[1][0])[0]
        logits = torch.cat((start[0], later))
        return F.cross_entropy(logits, tokens[0], reduction="sum").item(), tokens.shape[1]


def answer(player: Player, corpus: Corpus, seed: int) -> Iterator[Answered]:
    """Every held-out line once, after 0 to 31 rounds of unrelated talk."""
    random = Random(f"report {seed}")
    for number, exchange in enumerate(corpus.held_out(random)):
        history = list(islice(show(corpus, random), random.randrange(32)))
        prompt = player.prompt(history, exchange.viewer)
        start = player.read(prompt)
        nll, tokens = player.loss(start, exchange.reply)
        sampling = Sampling(max_tokens=SAMPLING.max_tokens, seed=seed + number * DRAFTS)
        drafts = player.drafts(prompt, start, sampling, DRAFTS)
        texts, ended = zip(*((draft.text, draft.ending is Ending.STOP) for draft in drafts), strict=True)
        yield Answered(exchange, len(history), texts, ended, nll, tokens)


class Intents:
    """Tells which intent a reply belongs to: that of the corpus's reply with the most pairs of letters in common."""

    def __init__(self, corpus: Corpus) -> None:
        self._known = [
            (_pairs(SLOT.sub("", text)), intent.name)
            for intent in corpus.intents.values()
            for template in intent.replies
            for text in expand(template)
        ]

    def nearest(self, reply: str) -> tuple[str, float]:
        """The intent and how alike the replies are (Dice's coefficient); "" below NEAR."""
        pairs = _pairs(reply)
        alike, name = max((_dice(pairs, known), name) for known, name in self._known)
        return (name if alike >= NEAR else ""), alike


def _pairs(text: str) -> Counter[str]:
    return Counter(text[i : i + 2] for i in range(len(text) - 1))


def _dice(a: Counter[str], b: Counter[str]) -> float:
    return 2 * (a & b).total() / max(1, a.total() + b.total())


def _repeats(text: str, n: int = 6) -> bool:
    grams = [text[i : i + n] for i in range(len(text) - n + 1)]
    return len(grams) != len(set(grams))


def _strange_values(corpus: Corpus, answered: Answered, reply: str) -> bool:
    """Names a game, dish, place or gift that the viewer did not."""
    known = [value for slot in ("game", "food", "city", "gift") for value in corpus.slots[slot] if len(value) > 1]
    return any(value in reply and value not in answered.exchange.viewer and value not in _NEUTRAL for value in known)


_NEUTRAL = ("烟花", "饼干", "鲜花", "樱花", "蛋糕", "奶茶", "赛车")


def figures(corpus: Corpus, answers: Sequence[Answered]) -> dict[str, float]:
    intents = Intents(corpus)
    drafts = [(a, text) for a in answers for text in a.drafts]
    pairs = [text[i : i + 2] for _, text in drafts for i in range(len(text) - 1)]
    found = [(a.exchange.intent, *intents.nearest(text)) for a, text in drafts]
    return {
        "lines": len(answers),
        "drafts": len(drafts),
        "perplexity": math.exp(sum(a.nll for a in answers) / sum(a.tokens for a in answers)),
        "ended": sum(sum(a.ended) for a in answers) / len(drafts),
        "repeated": sum(_repeats(text) for _, text in drafts) / len(drafts),
        "distinct2": len(set(pairs)) / max(1, len(pairs)),
        "others": sum(any(mark in text for mark in TURNS) for _, text in drafts) / len(drafts),
        "on_intent": sum(want == got for want, got, _ in found) / len(drafts),
        "by_heart": sum(alike >= 0.9 for *_, alike in found) / len(drafts),
        "strange": sum(_strange_values(corpus, a, text) for a, text in drafts) / len(drafts),
        "different": sum(len(set(a.drafts)) for a in answers) / len(answers),
        "length": sum(len(text) for _, text in drafts) / len(drafts),
    }


def confusions(corpus: Corpus, answers: Sequence[Answered]) -> list[tuple[str, str, str, str]]:
    """(viewer, wanted intent, given intent, reply) of every draft that misses."""
    intents = Intents(corpus)
    drafts = [(a.exchange, text) for a in answers for text in a.drafts]
    found = [(past.viewer, past.intent, intents.nearest(text)[0], text) for past, text in drafts]
    return [row for row in found if row[1] != row[2]]


def write_report(folder: Path, path: Path, training: str, seed: int = 1) -> dict[str, float]:
    corpus, player = load_corpus(), Player(folder)
    answers = list(answer(player, corpus, seed))
    measured = figures(corpus, answers)
    path.write_text(_page(corpus, player, answers, measured, training, folder), "utf-8")
    print(*(f"{name}: {value:.4g}" for name, value in measured.items()), sep="\n")
    return measured


def _page(
    corpus: Corpus, player: Player, answers: Sequence[Answered], m: dict[str, float], training: str, folder: Path
) -> str:
    shape = player.model.shape
    megabytes = sum((folder / name).stat().st_size for name in ("model.safetensors", "tokenizer.json")) / 1e6
    intents = corpus.intents.values()
    rows = (
        ("困惑度（语料里该意图的一条参考回复，逐 token）", "perplexity of a reference reply", f"{m['perplexity']:.2f}"),
        ("60 个 token 内自己收尾", "ends by itself within 60 tokens", f"{m['ended']:.1%}"),
        ("含重复的 6 字串", "has a repeated 6-gram of characters", f"{m['repeated']:.1%}"),
        ("distinct-2（全部候选合计）", "distinct-2, characters, all drafts together", f"{m['distinct2']:.3f}"),
        ("替别人说话（`名:`）", "speaks for somebody", f"{m['others']:.1%}"),
        ("切题（见下）", "on intent, see below", f"{m['on_intent']:.1%}"),
        (
            "提到观众没说的游戏、食物、地方或礼物",
            "names a game, dish, place or gift that nobody named",
            f"{m['strange']:.1%}",
        ),
        ("几乎照背语料（相似度 ≥ 0.9）", "nearly a reply of the corpus", f"{m['by_heart']:.1%}"),
        (f"每 {DRAFTS} 条候选里不同的条数", f"different ones among {DRAFTS} drafts", f"{m['different']:.2f}"),
        ("平均长度（字）", "mean length, characters", f"{m['length']:.1f}"),
    )
    table = "\n".join(f"| {zh} / {en} | {value} |" for zh, en, value in rows)
    return f"""# 演示模型 / The demo model

<!-- 由 tools/train_demo_model.py 写出，请勿手改。 / Written by tools/train_demo_model.py; do not edit. -->

这是随项目附带的玩具：一个很小的 RWKV-7，只会演“小铃”，挂在主播窗边的风铃、主播的 AI 搭档。它让第一条命令不用下载就能跑起来。
它只背过本项目自己写的语料，懂的就是日常弹幕；没见过的话，它会岔开或答非所问。正式开播请换真正的 RWKV-7 模型。

A toy that ships with the project: a very small RWKV-7 that plays one character, 小铃, a wind chime and AI co-host. It has read nothing but
the corpus in `tools/demo_corpus`, which was written for it. For a real show use a real RWKV-7 model.

- 结构 / shape: {shape.layers} 层，宽 {shape.width}，{shape.heads} 头 × {shape.head_size}，词表 {shape.vocab}（字节级 BPE，0 号为文本结束）；fp16，连同分词器 {megabytes:.2f} MB
- 训练 / training: `python tools/train_demo_model.py`，{training}
- 语料 / corpus: {len(corpus.intents)} 个意图，{sum(len(i.says) for i in intents)} 条观众说法、{sum(len(i.replies) for i in intents)} 条回复用于训练（均含可选部分和槽位）；另有 {sum(len(i.held_out) for i in intents)} 条观众说法整条留出，从不参与训练

## 在没见过的话上测得 / Measured on held-out lines

{m["lines"]:.0f} 条留出的观众说法，各接在 0 到 31 轮不相干的对话之后，每条 {DRAFTS} 个候选；采样 top_p {SAMPLING.top_p}，温度 {SAMPLING.temperature}。
{m["lines"]:.0f} held-out lines, each after 0 to 31 rounds of unrelated talk, {DRAFTS} drafts each, sampled with top_p {SAMPLING.top_p} and temperature {SAMPLING.temperature}.

| 指标 / figure | 值 / value |
|---|---|
{table}

“切题”的算法：在语料全部回复（不只是本意图的）里，找与候选的相邻字对重合最多的一条（Dice 系数）；它属于这句话的意图才算切题，系数低于 {NEAR} 的一律算不切题。
几个意图的界线本来就模糊（如“666”与“打得漂亮”），所以这个数偏严；它也只说明“像该意图的回复”，不说明句句精彩。

## {SAMPLES} 条样例 / Samples

留出的话，每条的第一个候选，未经挑选。 / Held-out lines, the first draft of each, not chosen by anyone.

| 观众 / viewer | 小铃 |
|---|---|
{_samples(answers)}
"""


def _samples(answers: Sequence[Answered]) -> str:
    chosen = [answers[i * len(answers) // SAMPLES] for i in range(min(SAMPLES, len(answers)))]
    return "\n".join(f"| {_cell(a.exchange.viewer)} | {_cell(a.drafts[0])} |" for a in chosen)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    import sys

    torch.set_num_threads(2)
    corpus, player = load_corpus(), Player(Path(sys.argv[1]))
    answers = list(answer(player, corpus, 1))
    for name, value in figures(corpus, answers).items():
        print(f"{name}: {value:.4g}")
    for row in confusions(corpus, answers):
        print(*row, sep=" | ")
