"""Named settings of sampling, and values over others."""

from __future__ import annotations

import pytest

from bot.engine.sampling.presets import BUILT_IN, sampling_from
from bot.engine.types import Sampling

BASE = Sampling(no_repeat="，", min_p=0.2, max_tokens=50)


@pytest.mark.parametrize("name", sorted(BUILT_IN))
@pytest.mark.parametrize("base", [BASE, Sampling(top_p=1.0, mirostat_tau=3.0), Sampling(typical=0.5, top_k=9)])
def test_built_in_presets_go_over_anything(name: str, base: Sampling) -> None:
    """They settle what narrows the distribution, and leave the rest as it was."""
    made = sampling_from(name, base, {})
    assert {field: getattr(made, field) for field in BUILT_IN[name]} == BUILT_IN[name]
    assert (made.no_repeat, made.max_tokens) == (base.no_repeat, base.max_tokens)
    assert made.min_p == (0.05 if name == "mirostat" else 0.0)


def test_presets_are_their_authors() -> None:
    """temperature, top_p, top_k, presence, frequency."""
    made = {name: sampling_from(name, Sampling(), {}) for name in BUILT_IN}
    numbers = {name: (s.temperature, s.top_p, s.top_k, s.presence, s.frequency) for name, s in made.items()}
    assert numbers["chat"] == (1.0, 0.3, 0, 0.5, 0.5)
    assert numbers["demo"] == (1.0, 0.5, 500, 1.0, 0.1)
    assert numbers["think"] == (1.0, 0.5, 100, 0.0, 0.0)
    assert numbers["drama"] == (2.0, 0.7, 0, 0.5, 0.5)
    assert (made["mirostat"].mirostat_tau, made["mirostat"].mirostat_rate) == (5.0, 0.1)


def test_values_stand_over_their_preset_and_that_over_the_base() -> None:
    """A user's own preset goes before a built-in one of its name."""
    own = {"chat": {"temperature": 0.8, "ban": ["加群"]}}
    made = sampling_from({"preset": "chat", "top_p": 0.9}, BASE, own)
    assert (made.temperature, made.top_p, made.min_p, made.ban) == (0.8, 0.9, 0.2, ("加群",))
    assert sampling_from({}, BASE, {}) == BASE


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("chta", "没有名为 'chta' 的采样预设，现有：chat、demo、think、drama、mirostat"),
        (5, "应为预设的名字"),
        ({"temperatur": 1}, "没有 temperatur 这个采样设置。是不是想写 temperature？"),
        ({"preset": 3}, "没有名为 3"),
        ({"preset": ["a"]}, "没有名为"),
        ({"temperature": "hot"}, "temperature：应为0 到 10 的数字，现为 'hot'"),
        ({"logit_bias": [["哈哈", 1000]]}, "logit_bias：应为列表"),
        ({"order": "top_p"}, "order：应为这些步骤的排列"),
        ({"order": [["top_p"]]}, "order：应为这些步骤的排列"),
    ],
)
def test_what_makes_no_sense_is_said(wanted: object, said: str) -> None:
    """As it stands in a file that somebody wrote by hand."""
    with pytest.raises(ValueError, match="^" + said):
        sampling_from(wanted, BASE, {})
