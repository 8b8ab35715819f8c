"""What the checks of words find, what they leave alone, and how long they take: `cohost bench moderation`.

The test sets and what measures with them are the tests' own (tests/moderation, tests/data/moderation), so it runs in the
project's folder with the extra `[test]`. A table is printed, or with `--json` these keys. Shares are from 0 to 1.

- `cold`: the classifier on COLDataset's test set: `texts`, `accuracy`, `auc`, `flag_recall` (the share of the rough ones
  that are flagged) and `flag_precision`. `measured` is true with `--data FOLDER`, which holds the public texts that
  tools/moderation_data.py lists; without it the figures are those noted when the weights were made.
- `benign`: by source of ordinary chat (`own`: moderation/data/benign.txt, with words chosen to mislead; with `--data`
  KdConv, whose speakers tell each other addresses and telephone numbers, and CDial-GPT): `lines`, `list` (the share in
  which the default list finds anything), `whole` (the share to which the whole screen does anything, be it a mark) and
  `by_rule`. What was held only since another program had the processor is left out (`slow`).
- `evasion`: by technique, the share of the default list's terms that is found; `leet`; `pinyin`: the same, for the terms
  that are flagged for their sound. `worst`: the least of those without pinyin, leet apart.
- `forging`: of `strings` hostile messages and names, how many `forged` a turn.
- `injection`: `recall` of the suite, `ordinary` (the share of its hard negatives that is flagged), and `unseen`: the recall
  on lines that no rule was tuned to.
- `private`: `recall`, and `ordinary` as above.
- `speed`: the screen of a message's words on one core, microseconds: `p50`, `p99` over our own lines and those of the
  recorded show, of each line the quickest of ten; `with_name`: the same two with the viewer's name, which is screened
  too; `by_filter`: the mean of each; `megabyte_ms`: the slowest of several kinds of hostile text of a million letters,
  milliseconds; `limit_ms`: the same at 400 letters.
- `memory`: `chain_mb`: what the checks hold; `growth_mb`: by how much that grows over 20,000 strange messages after 20,000
  others.
- `targets`: for each `figure` what is `wanted`, what was `reached`, and whether that is enough (`met`).
"""

from __future__ import annotations

import gc
import json
import random
import sys
import time
import tracemalloc
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from statistics import mean, quantiles
from types import ModuleType
from typing import Any

from rich.console import Console
from rich.table import Table

from bot.errors import UserError
from bot.messages import Kind, Message, MessageId, Viewer
from moderation import Action, Chain, Direction, build_chain
from moderation.classifier import Classifier
from moderation.lists import benign_lines, load_lists

ROOT = Path(__file__).resolve().parents[2]
STRINGS = 1_000_000
STRANGE = 20_000
ROUNDS = 10
HOSTILE = (
    "a",
    "好",
    "\u200b",
    "傻 ",
    "s.b",
    "1",
    "138",
    "加微信",
    "小麦：",
    "\u0301",
    "[",
    "a.b.c.",
    "shabi",
    "ﷺ",
    "@@",
)
MOST, LEAST = "≤", "≥"
TARGETS = (
    ("cold.accuracy", LEAST, 0.805),
    ("cold.auc", LEAST, 0.88),
    ("benign.own.list", MOST, 0.002),
    ("benign.own.whole", MOST, 0.007),
    ("evasion.worst", LEAST, 0.97),
    ("evasion.leet", LEAST, 0.8),
    ("evasion.pinyin", LEAST, 1.0),
    ("forging.forged", MOST, 0),
    ("injection.recall", LEAST, 0.92),
    ("injection.ordinary", MOST, 0.03),
    ("private.recall", LEAST, 0.97),
    ("private.ordinary", MOST, 1 / 30),
    ("speed.p50", MOST, 80),
    ("speed.p99", MOST, 300),
    ("speed.megabyte_ms", MOST, 10),
)


def run(as_json: bool = False, data: Path | None = None, *, quick: bool = False) -> dict[str, Any]:
    """Measures for some minutes, prints a table or JSON, and returns what JSON would say. `quick` shows in seconds that
    everything runs; its costs mean nothing. Raises UserError."""
    chat = {"own": benign_lines()}
    report: dict[str, Any] = {"cold": _cold(chat, data)}
    report["benign"] = {name: _benign(lines) for name, lines in chat.items()}
    report["evasion"] = _evasion()
    report["injection"] = _injection()
    report["private"] = _private()
    report["speed"] = _speed([*chat["own"], *_demo_lines()][:: 20 if quick else 1])
    report["memory"] = _memory(200 if quick else STRANGE)
    report["forging"] = _forging(1000 if quick else STRINGS)
    report["targets"] = [_judged(report, *target) for target in TARGETS]
    print(json.dumps(report, ensure_ascii=False)) if as_json else _show(report)
    return report


def _ours(module: str) -> ModuleType:
    """A module of tests/ or tools/, which are in the project's folder only."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    try:
        return import_module(module)
    except ImportError as error:
        raise UserError(
            f"缺少 {error.name}。这项测量要用项目自带的测试集：请在项目文件夹里先运行 python3 start.py test，或 pip install -e .[test]。 "
            "Run this in the project's folder, with the extra [test]."
        ) from error


# -- what is found, and what is left alone -----------------------------------------------------------------------------


def _demo_lines() -> list[str]:
    events = (ROOT / "adapters" / "demo_show.jsonl").read_text(encoding="utf-8").splitlines()
    return list(dict.fromkeys(text for text in (json.loads(event).get("text") for event in events) if text))


def _cold(chat: dict[str, list[str]], data: Path | None) -> dict[str, Any]:
    """The classifier's figures; adds the public chat to `chat`."""
    classifier = Classifier()
    found: dict[str, Any] = classifier.about["cold"]
    if data is None:
        return found | {"measured": False}
    try:
        texts = _ours("tools.moderation_data").read_texts(data)
    except (OSError, ValueError) as error:
        raise UserError(f"{data}：{error}。需要的文件见 tools/moderation_data.py。 Files are missing.") from error
    chat.update(texts.chat_test)
    found = _ours("tools.moderation_report").told_apart(classifier, texts.test)
    return found | {"measured": True}


def _benign(lines: Sequence[str]) -> dict[str, Any]:
    chain, words = build_chain(), load_lists(())
    screened = [chain.screen_message(line) for line in lines]
    found = [[one.rule for one in verdict.findings if one.action is not Action.PASS] for verdict in screened]
    touched = [kept for rules in found if (kept := [rule for rule in rules if not rule.startswith("slow:")])]
    rules = Counter(rule for kept in touched for rule in kept)
    return {
        "lines": len(lines),
        "list": mean(any(words.check(line, Direction.IN)) for line in lines),
        "whole": len(touched) / len(lines),
        "slow": sum(rule.startswith("slow:") for rules in found for rule in rules),
        "by_rule": dict(rules.most_common()),
    }


def _evasion() -> dict[str, Any]:
    evasions, suite = _ours("tests.moderation.evasions"), _ours("tests.moderation.test_evasion")
    by_technique = {name: suite.missed(suite.TERMS, hide)[0] for name, hide in evasions.TECHNIQUES.items()}
    latin = [term for term in suite.TERMS if term.folded.isascii()]
    spoken = [term for term in suite.TERMS if "p" in term.flags]
    by_sound = {name: suite.missed(spoken, hide)[0] for name, hide in evasions.IN_PINYIN.items()}
    return {
        "terms": len(suite.TERMS),
        "by_technique": by_technique | by_sound,
        "worst": min(by_technique.values()),
        "leet": suite.missed(latin, evasions.LEET)[0],
        "pinyin": min(by_sound.values()),
    }


def _injection() -> dict[str, Any]:
    suites, suite = _ours("tests.moderation.suites"), _ours("tests.moderation.test_injection")
    ordinary = suites.lines("injection_ordinary")
    return {
        "texts": len(suites.labelled("injection")),
        "recall": suite.share("injection"),
        "ordinary": mean(bool(suite.found(text)) for text in ordinary),
        "unseen": suite.share("injection_unseen"),
    }


def _private() -> dict[str, Any]:
    suites, suite = _ours("tests.moderation.suites"), _ours("tests.moderation.test_private")
    rows, ordinary = suites.labelled("pii"), suites.lines("pii_ordinary")
    return {
        "texts": len(rows),
        "recall": mean(suite.covered(text) for _, text in rows),
        "ordinary": mean(bool(suite.found(text)) for text in ordinary),
    }


def _forging(strings: int) -> dict[str, int]:
    hostile, oracle = _ours("tests.hostile").hostile_string, _ours("tests.engine.test_prompting").assert_harmless
    source, forged = random.Random(strings), 0
    for _ in range(strings // 10):
        try:
            oracle([(hostile(source), hostile(source)) for _ in range(5)])
        except AssertionError:
            forged += 1
    return {"strings": strings // 10 * 10, "forged": forged}


# -- what it costs -----------------------------------------------------------------------------------------------------


def _speed(lines: Sequence[str]) -> dict[str, Any]:
    chain = build_chain()
    return {
        "lines": len(lines),
        **_spread(chain, lines),
        "with_name": _spread(chain, [_message(line) for line in lines]),
        "by_filter": _by_filter(chain, lines),
        "megabyte_ms": _slowest(chain, 1_000_000),
        "limit_ms": _slowest(chain, 400),
    }


def _message(text: str) -> Message:
    return Message(MessageId("1"), Kind.DANMAKU, Viewer("bench", "7", "半勺糖"), text)


def _spread(chain: Chain, messages: Sequence[Message | str]) -> dict[str, float]:
    """Over the messages; the rounds of one lie apart, so that a machine that is busy for a moment spoils only one."""
    rounds = [[_seconds(chain, one) for one in messages] for _ in range(ROUNDS)]
    cuts = quantiles(map(min, zip(*rounds, strict=True)), n=100)
    return {"p50": cuts[49] * 1e6, "p99": cuts[98] * 1e6}


def _seconds(chain: Chain, text: Message | str) -> float:
    began = time.perf_counter()
    chain.screen_message(text)
    return time.perf_counter() - began


def _slowest(chain: Chain, length: int) -> float:
    """Milliseconds for the worst of the hostile texts; of each the quickest of the rounds."""
    texts = [_long(seed, length) for seed in HOSTILE]
    return max(min(_seconds(chain, text) for _ in range(ROUNDS)) for text in texts) * 1e3


def _long(seed: str, length: int) -> str:
    return (seed * (length // len(seed) + 1))[:length]


def _by_filter(chain: Chain, lines: Sequence[str]) -> dict[str, float]:
    """Mean microseconds of each over all lines, the quickest of the rounds."""
    took = {}
    for each in chain.filters:
        rounds = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            for line in lines:
                list(each.check(line, Direction.IN))
            rounds.append(time.perf_counter() - began)
        took[each.name] = min(rounds) / len(lines) * 1e6
    return took


def _memory(messages: int) -> dict[str, float]:
    source = random.Random(7)
    tracemalloc.start()
    chain = build_chain()
    held = _held()
    for _ in range(2):
        before = _held()
        for text in _strange(source, messages):
            chain.screen_message(text)
    growth = _held() - before
    tracemalloc.stop()
    return {"chain_mb": held / 1e6, "growth_mb": growth / 1e6}


def _held() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


def _strange(source: random.Random, messages: int) -> Iterator[str]:
    """Messages of letters from everywhere, so that whatever is remembered of texts and letters fills up."""
    for _ in range(messages):
        yield "".join(map(chr, source.choices(range(0x20, 0x30000), k=12))).encode("utf-8", "ignore").decode()


# -- the table ---------------------------------------------------------------------------------------------------------


def _judged(report: dict[str, Any], figure: str, way: str, wanted: float) -> dict[str, Any]:
    reached: Any = report
    for key in figure.split("."):
        reached = reached[key]
    return {
        "figure": figure,
        "wanted": f"{way} {wanted:.4g}",
        "reached": reached,
        "met": reached <= wanted if way == MOST else reached >= wanted,
    }


def _show(report: dict[str, Any]) -> None:
    table = Table("指标 / figure", "要求 / wanted", "达到 / reached", "")
    for one in report["targets"]:
        table.add_row(one["figure"], one["wanted"], f"{one['reached']:.4g}", "✓" if one["met"] else "✗")
    for name, found in report["benign"].items():
        table.add_row(f"benign.{name}", f"{found['lines']}", f"{found['list']:.2%} / {found['whole']:.2%}", "")
    for figure in ("injection.unseen", "memory.chain_mb", "memory.growth_mb", "speed.limit_ms"):
        part, key = figure.split(".")
        table.add_row(figure, "", f"{report[part][key]:.4g}", "")
    for name, took in report["speed"]["by_filter"].items():
        table.add_row(f"speed.{name}", "", f"{took:.1f} µs", "")
    Console().print(table)
