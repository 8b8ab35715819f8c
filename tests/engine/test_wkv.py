"""The recurrence: in chunks it is what it is token by token."""

from __future__ import annotations

from math import exp

import pytest
import torch
from torch import Tensor

from bot.engine.wkv import CHUNK, wkv_scan, wkv_step

Inputs = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]


def inputs(B: int, T: int, H: int, N: int, *, decay: str = "any", seed: int = 0) -> tuple[Inputs, Tensor]:
    """r, w, k, v, a, b as the model makes them, and a state."""
    draw = torch.Generator().manual_seed(seed)

    def normal() -> Tensor:
        return torch.randn(B, T, H, N, generator=draw)

    r, k, v = normal(), normal(), normal()
    kk = torch.nn.functional.normalize(normal(), dim=-1)
    rate = torch.sigmoid(3 * normal())
    w = torch.exp(-exp(-0.5) * torch.sigmoid(4 * normal()))
    if decay == "fastest":
        w = torch.full_like(w, exp(-exp(-0.5)))
    if decay == "none":  # and always the same direction is overwritten: the hardest triangular system
        w, rate, kk = torch.ones_like(w), torch.ones_like(rate), kk[:, :1].expand_as(kk)
    return (r, w, k, v, -kk, kk * rate), torch.randn(B, H, N, N, generator=draw)


def by_the_formula(given: Inputs, S: Tensor) -> tuple[Tensor, Tensor]:
    """S_t = S_{t-1} diag(w_t) + (S_{t-1} a_t) b_t^T + v_t k_t^T, y_t = S_t r_t, word for word, in double precision."""
    given, S, ys = tuple(x.double() for x in given), S.double(), []
    for r, w, k, v, a, b in zip(*(x.unbind(1) for x in given), strict=True):
        S = S * w[..., None, :] + (S @ a[..., None]) @ b[..., None, :] + v[..., None] @ k[..., None, :]
        ys.append((S @ r[..., None])[..., 0])
    return torch.stack(ys, 1), S


def distance(ours: Tensor, theirs: Tensor) -> float:
    return float((ours - theirs).abs().max() / theirs.abs().max())


@pytest.mark.parametrize("decay", ["any", "fastest", "none"])
@pytest.mark.parametrize("T", [1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 100])
def test_a_scan_is_the_formula(T: int, decay: str) -> None:
    """Any length, whole chunks or not, and the extremes of the decay."""
    given, S = inputs(2, T, 3, 32, decay=decay)
    y, after = wkv_scan(*given, S)
    expected, expected_after = by_the_formula(given, S)
    assert distance(y, expected) < 3e-6
    assert distance(after, expected_after) < 3e-6


def test_a_step_is_the_formula() -> None:
    """One token for each of several rows; the state is changed in place."""
    given, S = inputs(4, 1, 3, 16)
    expected, expected_after = by_the_formula(given, S)
    y = wkv_step(*(x[:, 0] for x in given), S)
    assert distance(y, expected[:, 0]) < 1e-6
    assert distance(S, expected_after) < 1e-6


def test_a_scan_leaves_its_state_alone() -> None:
    """The state that is given in is a value: training needs it again."""
    given, S = inputs(1, 20, 1, 16)
    before = S.clone()
    wkv_scan(*given, S)
    assert torch.equal(S, before)


def test_two_scans_are_one_long_scan() -> None:
    """A prompt may be cut anywhere."""
    given, S = inputs(1, 50, 2, 16)
    y, after = wkv_scan(*given, S)
    first, middle = wkv_scan(*(x[:, :23] for x in given), S)
    second, end = wkv_scan(*(x[:, 23:] for x in given), middle)
    assert distance(torch.cat((first, second), 1), y) < 3e-6
    assert distance(end, after) < 3e-6


def test_gradients_are_right() -> None:
    """Training goes through the scan: every input's gradient agrees with finite differences."""
    given, S = inputs(1, 2 * CHUNK - 3, 1, 3)
    doubles = [x.double().requires_grad_() for x in (*given, S)]
    assert torch.autograd.gradcheck(wkv_scan, doubles)
