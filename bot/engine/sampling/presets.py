"""Named settings of sampling, and settings made of a name or of single values over others. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from difflib import get_close_matches
from typing import Any

from bot.engine.types import Sampling

Values = Mapping[str, Any]

_OFF = {"top_p": 1.0, "top_k": 0, "min_p": 0.0, "typical": 1.0, "mirostat_tau": 0.0}

BUILT_IN: dict[str, dict[str, Any]] = {
    "chat": _OFF | {"temperature": 1.0, "top_p": 0.3, "presence": 0.5, "frequency": 0.5, "decay": 0.996},
    "demo": _OFF | {"temperature": 1.0, "top_p": 0.5, "top_k": 500, "presence": 1.0, "frequency": 0.1, "decay": 0.99},
    "think": _OFF | {"temperature": 1.0, "top_p": 0.5, "top_k": 100, "presence": 0.0, "frequency": 0.0},
    "drama": _OFF | {"temperature": 2.0, "top_p": 0.7, "presence": 0.5, "frequency": 0.5},
    "mirostat": _OFF | {"temperature": 1.0, "mirostat_tau": 5.0, "mirostat_rate": 0.1, "min_p": 0.05},
}
"""What models' authors and programs use: ChatRWKV's chat, its newer demos, thinking, RWKV-Drama (temperature after
top_p), and RWKV_Role_Playing, which beside mirostat leaves out what is less than tau % as likely as the best."""


def sampling_from(wanted: object, base: Sampling, presets: Mapping[str, Values]) -> Sampling:
    """`wanted` is a preset's name, or values that stand over `base` (and over those of the preset that they name).

    `presets` are the user's own, which go before the built-in ones of the same name. Raises ValueError for people.
    """
    values = {"preset": wanted} if isinstance(wanted, str) else wanted
    if not isinstance(values, Mapping):
        raise ValueError(
            f'应为预设的名字，或 {{"temperature": 1.2}} 这样的设置，现为 {wanted!r}。 / Must be a preset\'s name or settings.'
        )
    known = [field.name for field in fields(Sampling)]
    for name in values:
        if name not in (*known, "preset"):
            near = get_close_matches(str(name), known, n=1, cutoff=0.5)
            hint = f"是不是想写 {near[0]}？" if near else f"可写：{'、'.join(known)}。"
            raise ValueError(f"没有 {name} 这个采样设置。{hint} / No such setting.")
    over = {name: value for name, value in values.items() if name != "preset"}
    return replace(base, **as_fields(_preset(values.get("preset", ""), presets) | over))


def _preset(name: object, presets: Mapping[str, Values]) -> dict[str, Any]:
    if name == "":
        return {}
    found = {**BUILT_IN, **presets}
    if name not in list(found):
        raise ValueError(f"没有名为 {name!r} 的采样预设，现有：{'、'.join(found)}。 / No such preset.")
    return dict(found[str(name)])


def as_fields(values: Values) -> dict[str, Any]:
    """Lists, as JSON and YAML have them, as the tuples of Sampling; anything else stays for Sampling to refuse."""
    return {name: _tuples(value) if name in ("order", "ban", "logit_bias") else value for name, value in values.items()}


def _tuples(value: object) -> object:
    return tuple(_tuples(entry) for entry in value) if isinstance(value, list | tuple) else value
