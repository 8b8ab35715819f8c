"""What the settings of sampling may be, each alone and all together. Written once: types.py and the settings use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

STEPS = ("top_p", "top_k", "min_p", "typical", "mirostat", "temperature")
"""What narrows and bends the distribution, in the usual order: the `rwkv` package's, `temperature` last."""

LIMITS: dict[str, tuple[float, float]] = {
    "temperature": (0, 10),
    "top_p": (0, 1),
    "top_k": (0, 1_000_000),
    "min_p": (0, 1),
    "typical": (0, 1),
    "mirostat_tau": (0, 20),
    "mirostat_rate": (0, 1),
    "guidance": (0, 20),
    "presence": (-10, 10),
    "frequency": (-10, 10),
    "decay": (0, 1),
    "dry_multiplier": (0, 10),
    "dry_base": (1, 8),
    "dry_allowed_length": (1, 100),
    "dry_range": (0, 4096),
    "max_tokens": (1, 4000),
    "min_tokens": (0, 4000),
    "seed": (0, 2**48),
}
"""The least and the most of each number."""

WHOLE = {"top_k", "dry_allowed_length", "dry_range", "max_tokens", "min_tokens", "seed"}
LOWEST_HEAT = 0.01
MOST_BIAS = 100.0

Problem = tuple[str, str, str]
"""The setting, and what is wrong with it in Chinese and in English."""


def problems(values: Mapping[str, Any]) -> Iterator[Problem]:
    """Everything that is wrong with these settings of a Sampling; nothing when it can be drawn by them."""
    alone = [*_numbers(values), *_texts(values), *_order(values)]
    yield from alone
    if not alone:
        yield from _together(values)


def _numbers(values: Mapping[str, Any]) -> Iterator[Problem]:
    for name, (least, most) in LIMITS.items():
        value = values[name]
        if value is None and name == "seed":
            continue
        kinds = (int,) if name in WHOLE else (int, float)
        if isinstance(value, bool) or not isinstance(value, kinds) or not least <= value <= most:
            what, english = ("整数", "a whole number") if name in WHOLE else ("数字", "a number")
            span = f"{least:g} 到 {most:g}" if most < 1e6 else f"不小于 {least:g}"
            yield name, f"应为{span} 的{what}，现为 {value!r}。", f"Must be {english} from {least:g} to {most:g}."


def _texts(values: Mapping[str, Any]) -> Iterator[Problem]:
    for name in ("no_repeat", "dry_breakers"):
        if not isinstance(values[name], str):
            yield name, f'应为文字，例如 "，：？！"，现为 {values[name]!r}。', "Must be text."
    if not isinstance(values["ban"], tuple) or not all(map(_names_words, values["ban"])):
        yield (
            "ban",
            f'应为列表，写词句（或 token 编号），例如 ["加群", 261]，现为 {values["ban"]!r}。',
            "Must be a list.",
        )
    if not isinstance(values["logit_bias"], tuple) or not all(map(_biases_words, values["logit_bias"])):
        example = f'应为列表，每项是词（或 token 编号）和 -{MOST_BIAS:g} 到 {MOST_BIAS:g} 的数字，例如 [["哈哈", -3]]'
        yield "logit_bias", f"{example}，现为 {values['logit_bias']!r}。", "Must be a list of [text or id, number]."


def _names_words(entry: object) -> bool:
    """A text that is not empty, or a token's id."""
    return (
        bool(entry) if isinstance(entry, str) else isinstance(entry, int) and not isinstance(entry, bool) and entry >= 0
    )


def _biases_words(entry: object) -> bool:
    match entry:
        case (words, (int() | float()) as amount) if not isinstance(amount, bool):
            return _names_words(words) and -MOST_BIAS <= amount <= MOST_BIAS
    return False


def _order(values: Mapping[str, Any]) -> Iterator[Problem]:
    order = values["order"]
    if not isinstance(order, tuple) or any(step not in STEPS for step in order) or len(set(order)) < len(order):
        known = ", ".join(STEPS)
        yield (
            "order",
            f"应为这些步骤的排列，每步至多一次：{known}，现为 {order!r}。",
            "An order of these steps, each once.",
        )


def active_steps(values: Mapping[str, Any]) -> set[str]:
    """The steps that change anything at these settings."""
    on = {
        "top_p": values["top_p"] < 1,
        "top_k": values["top_k"] > 0,
        "min_p": values["min_p"] > 0,
        "typical": values["typical"] < 1,
        "mirostat": values["mirostat_tau"] > 0,
        "temperature": values["temperature"] != 1,
    }
    return {step for step, is_on in on.items() if is_on}


def _together(values: Mapping[str, Any]) -> Iterator[Problem]:
    """What contradicts itself, where each setting alone is fine. At its default, the setting named does not."""
    on = active_steps(values)
    heat = values["temperature"]
    for step in sorted(on - set(values["order"])):
        yield "order", f"缺少用到的 {step}。请加上。", f"{step} is in use; name it in the order."
    if 0 < heat < LOWEST_HEAT:
        yield (
            "temperature",
            f"应为 0（每次选最可能的）或不小于 {LOWEST_HEAT}，现为 {heat:g}。",
            "Write 0, or at least that.",
        )
    offs = {"top_p": "top_p: 1", "top_k": "top_k: 0", "typical": "typical: 1"}
    both = [step for step in offs if step in on]
    if "mirostat" in on and both:
        text = f"mirostat 自己决定留下多少词，不能与 {'、'.join(both)} 同用。请写 {'，'.join(offs[step] for step in both)}。"
        yield "mirostat_tau", text, f"Mirostat replaces them: write {', '.join(offs[step] for step in both)}."
    if heat == 0:
        for step, name, off in (("mirostat", "mirostat_tau", 0), ("typical", "typical", 1)):
            if step in on:
                text = (
                    f"temperature 为 0 是每次选最可能的词，不能与 {step} 同用。请写 {name}: {off}，或改 temperature。"
                )
                yield name, text, "Contradicts temperature 0."
    if values["min_tokens"] > values["max_tokens"]:
        text = f"最少 {values['min_tokens']} 个 token 多于最多的 {values['max_tokens']} 个。请改小 min_tokens。"
        yield "min_tokens", text, "More than max_tokens."
