"""Drawing a token: the whole distribution against a plain reference, not samples alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bot.engine import sampling as module
from bot.engine.sampling import CANDIDATES, Chances, distributions, draw, least_of_mass
from bot.engine.types import Sampling

PLAIN = Sampling(presence=0, frequency=0)


def reference(logits: torch.Tensor, s: Sampling) -> np.ndarray:
    """Everything sorted, word for word: softmax, top_p, top_k (ties stay), temperature."""
    p = torch.softmax(logits.float(), -1).double().numpy()
    falling = np.sort(p)[::-1]
    least = 0.0
    if s.top_p < 1:
        reached = np.flatnonzero(np.cumsum(falling) >= s.top_p)
        least = falling[reached[0]] if len(reached) else 0.0
    if s.top_k:
        least = max(least, falling[min(s.top_k, len(p)) - 1])
    if s.temperature == 0:
        return (np.arange(len(p)) == p.argmax()).astype(float)
    kept = np.where(p >= least, p, 0.0)
    heated = (kept / kept.max()) ** (1 / s.temperature)
    return heated / heated.sum()


def ours(logits: torch.Tensor, s: Sampling) -> np.ndarray:
    ((ids, weights),) = distributions(logits[None].clone(), [Chances(s, 0)])
    p = np.zeros(logits.shape[0])
    p[ids] = weights / weights.sum()
    return p


@pytest.mark.parametrize("spread", [0.0, 0.01, 1.0, 4.0, 12.0])
@pytest.mark.parametrize("top_p", [0.0, 0.3, 0.7, 0.95, 0.9999, 1.0])
@pytest.mark.parametrize(("top_k", "temperature"), [(0, 1.0), (1, 1.0), (40, 0.7), (500, 2.0), (3, 0.0), (0, 0.02)])
def test_the_distribution_is_the_plain_one(spread: float, top_p: float, top_k: int, temperature: float) -> None:
    """Flat or steep, a few tokens or all of them, on a vocabulary larger than the first look."""
    logits = spread * torch.randn(3000, generator=torch.Generator().manual_seed(5))
    if spread == 0.0 and temperature == 0.0:
        return  # which of equal tokens is greedy is nobody's promise
    s = Sampling(temperature=temperature, top_p=top_p, top_k=top_k)
    np.testing.assert_allclose(ours(logits, s), reference(logits, s), atol=1e-9)


@given(
    levels=st.lists(st.integers(-6, 6), min_size=1, max_size=400),
    top_p=st.floats(0, 1),
    top_k=st.integers(0, 420),
    temperature=st.floats(0.1, 5),
)
def test_equal_tokens_share_their_fate(levels: list[int], top_p: float, top_k: int, temperature: float) -> None:
    """Many ties, as low precision makes them: all of a level stay or none."""
    logits = torch.tensor(levels, dtype=torch.float32)
    s = Sampling(temperature=temperature, top_p=top_p, top_k=top_k)
    p = ours(logits, s)
    for level in set(levels):
        assert len(set(np.round(p[np.array(levels) == level], 9))) == 1
    kept = {level for level, likely in zip(levels, p, strict=True) if likely > 0}
    mass = torch.softmax(logits, -1).double().numpy()[p > 0].sum()
    assert max(levels) in kept
    assert top_k or mass >= top_p - 1e-6


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=1500), st.floats(0, 1))
def test_the_least_likelihood_that_stays_is_found_without_sorting(values: list[float], share: float) -> None:
    """Halving finds what sorting everything finds."""
    p = np.array(values, dtype=np.float64)
    mass = share * p.sum()
    falling = np.sort(p)[::-1]
    sums = np.cumsum(falling)
    found = least_of_mass(p, mass)
    place = np.flatnonzero(sums >= mass * (1 - 1e-12))[0]
    later = np.flatnonzero(sums >= mass * (1 + 1e-12))
    assert found in falling[place : (later[0] if len(later) else len(p) - 1) + 1]


def test_a_flat_vocabulary_is_not_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search ends in a small rest: nothing longer is ever sorted."""
    longest = []
    sort = np.sort
    monkeypatch.setattr(module.np, "sort", lambda values: longest.append(len(values)) or sort(values))
    ours(0.1 * torch.randn(65536, generator=torch.Generator().manual_seed(1)), Sampling(top_p=0.5))
    assert longest and max(longest) <= CANDIDATES


def test_draws_follow_the_distribution() -> None:
    """4,000 draws from three tokens."""
    logits = torch.log(torch.tensor([0.6, 0.3, 0.1]))
    row = Chances(Sampling(top_p=1.0, presence=0, frequency=0), seed=1)
    counts = Counter(draw(logits[None].clone(), [row])[0] for _ in range(4000))
    assert [round(counts[i] / 4000, 1) for i in range(3)] == [0.6, 0.3, 0.1]


def test_a_row_draws_the_same_whatever_else_is_in_the_batch() -> None:
    """Alone, in company, and at another place: its seed decides."""
    logits = torch.randn(3, 500, generator=torch.Generator().manual_seed(2))
    flat = Sampling(top_p=0.95, top_k=300, seed=1)

    def run(rows: list[int]) -> dict[int, list[int]]:
        chances = {row: Chances(flat if row else PLAIN, seed=row) for row in rows}
        drawn: dict[int, list[int]] = {row: [] for row in rows}
        for _ in range(20):
            tokens = draw(logits[rows].clone(), [chances[row] for row in rows])
            for row, token in zip(rows, tokens, strict=True):
                drawn[row].append(token)
                chances[row].drew(token)
        return drawn

    together = run([0, 1, 2])
    assert run([1])[1] == together[1]
    assert run([2, 1])[1] == together[1]
    assert together[1] != together[2]


def test_the_same_seed_draws_the_same() -> None:
    """And another one something else."""
    logits = torch.zeros(1, 1000)

    def ten(seed: int) -> list[int]:
        row = Chances(Sampling(top_p=1.0), seed)
        return [draw(logits.clone(), [row])[0] for _ in range(10)]

    assert ten(7) == ten(7) != ten(8)


def test_drawn_tokens_are_penalised_and_fade() -> None:
    """presence once, frequency by count, each count fading by `decay` a token: ChatRWKV's rule, written out."""
    s = Sampling(presence=0.4, frequency=0.3, decay=0.9, top_p=1.0)
    row = Chances(s, 0, exempt=frozenset({9}))
    for token in [4, 5, 4, 9]:
        row.drew(token)
    logits = torch.zeros(1, 12)
    distributions(logits, [row])
    expected = torch.zeros(12)
    expected[4] = -(0.4 + 0.3 * (0.9**3 + 0.9))
    expected[5] = -(0.4 + 0.3 * 0.9**2)
    torch.testing.assert_close(logits[0], expected)


def test_penalties_hold_for_many_tokens() -> None:
    """More different tokens than there was room for at first."""
    row = Chances(Sampling(presence=1.0, frequency=0.0, top_p=1.0), 0)
    for token in range(100):
        row.drew(token)
    logits = torch.zeros(1, 150)
    distributions(logits, [row])
    assert logits[0].tolist() == [-1.0] * 100 + [0.0] * 50


def test_forbidden_tokens_are_never_drawn() -> None:
    """For that row alone."""
    logits = torch.tensor([[9.0, 0, 0], [9.0, 0, 0]])
    greedy = Sampling(temperature=0)
    rows = [Chances(greedy, 0), Chances(greedy, 0)]
    first, second = draw(logits, rows, [torch.tensor([0]), None])
    assert first in (1, 2) and second == 0


def test_output_that_is_no_number_is_an_error() -> None:
    """Instead of a token from nowhere."""
    with pytest.raises(FloatingPointError):
        draw(torch.full((1, 10), torch.nan), [Chances(PLAIN, 0)])
