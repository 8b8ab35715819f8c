"""Drawing a token: the whole distribution against a plain reference, not samples alone."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from bot.engine.sampling import chances as module
from bot.engine.sampling.bias import Bias, leans
from bot.engine.sampling.chances import (
    CANDIDATES,
    Chances,
    distributions,
    draw,
    farthest_of_mass,
    guided,
    least_of_mass,
)
from bot.engine.sampling.limits import LIMITS, STEPS
from bot.engine.sampling.repetition import Repeats
from bot.engine.types import Sampling

PLAIN = Sampling(presence=0, frequency=0)
OPEN = Sampling(presence=0, frequency=0, top_p=1.0)


# ---- the reference: one token at a time, everything sorted, one rule after another -----------------------------------


def reference(logits: torch.Tensor, s: Sampling, surprise_bound: float = 0.0) -> dict[int, float]:
    """Likelihood by token. Each step as its definition says it, on a dict that sums to 1."""
    top = max(logits.double().tolist())
    weights = {token: math.exp(logit - top) for token, logit in enumerate(logits.double().tolist())}
    left = normalised(weights)
    if s.temperature == 0:
        return {max(left, key=lambda token: left[token]): 1.0}
    for step in s.order:
        left = normalised(PLAINLY[step](left, s, surprise_bound))
    return left


def normalised(weights: dict[int, float]) -> dict[int, float]:
    total = math.fsum(weights.values())
    return {token: weight / total for token, weight in weights.items()}


def best_until(left: dict[int, float], badness: dict[int, float], mass: float) -> dict[int, float]:
    """The best tokens one by one until they have the mass, and those exactly as good as the last of them."""
    ranked = sorted(left, key=lambda token: badness[token])
    had, last = 0.0, ranked[-1]
    for token in ranked:
        had += left[token]
        if had >= mass:
            last = token
            break
    return {token: p for token, p in left.items() if badness[token] <= badness[last]}


def plain_top_p(left: dict[int, float], s: Sampling, _: float) -> dict[int, float]:
    return best_until(left, {token: -p for token, p in left.items()}, s.top_p) if s.top_p < 1 else left


def plain_top_k(left: dict[int, float], s: Sampling, _: float) -> dict[int, float]:
    if not s.top_k:
        return left
    least = sorted(left.values(), reverse=True)[: s.top_k][-1]
    return {token: p for token, p in left.items() if p >= least}


def plain_min_p(left: dict[int, float], s: Sampling, _: float) -> dict[int, float]:
    return {token: p for token, p in left.items() if p >= s.min_p * max(left.values())}


def plain_typical(left: dict[int, float], s: Sampling, _: float) -> dict[int, float]:
    if s.typical == 1:
        return left
    left = {token: p for token, p in left.items() if p > 0}
    entropy = math.fsum(-p * math.log(p) for p in left.values())
    return best_until(left, {token: abs(-math.log(p) - entropy) for token, p in left.items()}, s.typical)


def plain_mirostat(left: dict[int, float], s: Sampling, bound: float) -> dict[int, float]:
    if not s.mirostat_tau:
        return left
    best = max(left.values())
    return {token: p for token, p in left.items() if p == best or (p > 0 and -math.log2(p) <= bound)}


def plain_temperature(left: dict[int, float], s: Sampling, _: float) -> dict[int, float]:
    best = max(left.values())
    return {token: (p / best) ** (1 / s.temperature) for token, p in left.items()}


PLAINLY = {
    "top_p": plain_top_p,
    "top_k": plain_top_k,
    "min_p": plain_min_p,
    "typical": plain_typical,
    "mirostat": plain_mirostat,
    "temperature": plain_temperature,
}


def ours(logits: torch.Tensor, s: Sampling) -> np.ndarray:
    (found,) = distributions(logits[None].clone(), [Chances(s, 0)])
    p = np.zeros(logits.shape[0])
    p[found.ids] = found.likely / found.likely.sum()
    return p


def as_array(left: dict[int, float], size: int) -> np.ndarray:
    p = np.zeros(size)
    p[list(left)] = list(left.values())
    return p


def assert_same(logits: torch.Tensor, s: Sampling, slack: float = 1e-6) -> None:
    """Ours is the reference, or the reference at settings that differ by rounding: on a border both sides are right."""
    near = [reference(logits, shifted(s, by), 2 * s.mirostat_tau * (1 + by)) for by in (0, -slack, slack)]
    got = ours(logits, s)
    misses = [np.abs(as_array(one, len(got)) - got).max() for one in near]
    assert min(misses) < 1e-4, f"{s}: off by {min(misses)}"


def shifted(s: Sampling, by: float) -> Sampling:
    moved = {name: min(1.0, getattr(s, name) * (1 + by)) for name in ("top_p", "typical", "min_p")}
    return replace(s, **{name: value for name, value in moved.items() if 0 < getattr(s, name) < 1})


@st.composite
def settings(draw: st.DrawFn) -> Sampling:
    """Any settings that do not contradict each other, in any order."""
    order = tuple(draw(st.permutations(STEPS)))
    temperature = draw(st.sampled_from([0.0, 0.02, 0.3, 1.0, 1.7, 9.0]))
    min_p = draw(st.sampled_from([0.0, 0.02, 0.3, 1.0]))
    common = {"order": order, "temperature": temperature, "min_p": min_p, "presence": 0.0, "frequency": 0.0}
    if temperature and draw(st.booleans()):
        return Sampling(**common, top_p=1.0, mirostat_tau=draw(st.sampled_from([0.1, 1.0, 3.0, 5.0])))
    return Sampling(
        **common,
        top_p=draw(st.sampled_from([0.0, 0.3, 0.6, 0.95, 1.0])),
        top_k=draw(st.sampled_from([0, 1, 3, 40, 200, 1000])),
        typical=draw(st.sampled_from([0.0, 0.2, 0.9, 1.0])) if temperature else 1.0,
    )


@given(settings(), st.integers(1, 700), st.sampled_from([0.0, 0.02, 0.5, 2.0, 6.0]), st.integers(0, 99))
@example(Sampling(top_p=1.0), 700, 0.02, 1)
@example(Sampling(top_p=1.0, typical=0.2, order=("typical", "temperature")), 700, 2.0, 1)
def test_the_distribution_is_the_plain_one(s: Sampling, size: int, spread: float, seed: int) -> None:
    """All steps in any order and combination; flat or steep; fewer tokens than the first look and many more."""
    if spread == 0.0 and s.temperature == 0.0:
        return  # which of equal tokens is greedy is nobody's promise
    assert_same(spread * torch.randn(size, generator=torch.Generator().manual_seed(seed)), s)


@given(settings(), st.lists(st.integers(-3, 3), min_size=1, max_size=300))
def test_equal_tokens_share_their_fate(s: Sampling, levels: list[int]) -> None:
    """Many ties, as low precision makes them: all of a level stay or none, and some do."""
    if s.temperature == 0.0:
        return
    p = ours(torch.tensor(levels, dtype=torch.float32), s)
    for level in set(levels):
        assert len(set(np.round(p[np.array(levels) == level], 7))) == 1
    assert p.sum() == pytest.approx(1)


@pytest.mark.parametrize("size", [1, 2, CANDIDATES, CANDIDATES + 1])
@pytest.mark.parametrize("value", [-1e4, 0.0, 1e4])
def test_extreme_outputs_are_drawn_from(size: int, value: float) -> None:
    """One token far from all others, far above or far below them, in every order that begins with another step."""
    logits = torch.zeros(size)
    logits[0] = value
    for first in STEPS:
        order = (first, *(step for step in STEPS if step != first))
        s = Sampling(top_p=0.9, top_k=50, min_p=0.1, typical=0.9, temperature=0.5, order=order)
        p = ours(logits, s)
        assert np.isfinite(p).all() and p.sum() == pytest.approx(1)
        assert p[0] == pytest.approx(1.0 if value > 0 or size == 1 else 0.0 if value < 0 else p[-1])


def test_forbidden_tokens_do_not_count() -> None:
    """Not in the entropy, not in the mass, in no order: the others are drawn as if they were not there."""
    logits = torch.randn(400, generator=torch.Generator().manual_seed(3))
    away = torch.arange(0, 400, 3)
    rest = np.setdiff1d(np.arange(400), away.numpy())
    for first in STEPS:
        s = Sampling(top_p=0.9, typical=0.8, order=(first, *(step for step in STEPS if step != first)))
        (found,) = distributions(logits[None].clone(), [Chances(s, 0)], [away])
        p = np.zeros(400)
        p[found.ids] = found.likely
        np.testing.assert_allclose(p[rest] / p.sum(), ours(logits[rest], s), atol=1e-6)
        assert p[away.numpy()].sum() == 0


def test_temperature_first_is_another_distribution() -> None:
    """At 1 the order is nobody's business; at 2 a nucleus of heated chances is larger."""
    logits = 3 * torch.randn(1000, generator=torch.Generator().manual_seed(4))
    first = ("temperature", "top_p")
    last = ("top_p", "temperature")
    assert (ours(logits, Sampling(order=first)) == ours(logits, Sampling(order=last))).all()
    hot = Sampling(temperature=2.0, order=first), Sampling(temperature=2.0, order=last)
    assert np.count_nonzero(ours(logits, hot[0])) > 2 * np.count_nonzero(ours(logits, hot[1]))


def test_usual_order_is_the_rwkv_packages() -> None:
    """top_p, then top_k, then temperature: written once more in the package's own words."""
    logits = 2 * torch.randn(3000, generator=torch.Generator().manual_seed(6))
    s = Sampling(top_p=0.8, top_k=20, temperature=1.5)
    p = torch.softmax(logits, -1).double().numpy()
    falling = np.sort(p)[::-1]
    p[p < falling[np.argmax(np.cumsum(falling) >= s.top_p)]] = 0
    p[p < falling[s.top_k - 1]] = 0
    p = p ** (1 / s.temperature)
    np.testing.assert_allclose(ours(logits, s), p / p.sum(), atol=1e-9)


# ---- borders without sorting -----------------------------------------------------------------------------------------


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


@given(
    st.lists(st.tuples(st.floats(0, 9, width=32), st.floats(0, 1, width=32)), min_size=1, max_size=1500),
    st.floats(0, 1),
)
def test_the_farthest_distance_that_stays_is_found_without_sorting(
    pairs: list[tuple[float, float]], share: float
) -> None:
    """The same with a mass of its own for each."""
    distances, masses = (np.array(column, dtype=np.float64) for column in zip(*pairs, strict=True))
    mass = share * masses.sum()
    rising = np.argsort(distances)
    sums = np.cumsum(masses[rising])
    found = farthest_of_mass(distances, masses, mass)
    near = distances[rising[np.flatnonzero(sums >= mass * (1 - 1e-9))[0]]]
    later = np.flatnonzero(sums >= mass * (1 + 1e-9))
    assert near <= found <= distances[rising[later[0] if len(later) else -1]]


@pytest.mark.parametrize("s", [Sampling(top_p=0.5), Sampling(typical=0.5, top_p=1.0), Sampling(top_p=1.0, top_k=9000)])
def test_a_flat_vocabulary_is_not_sorted(monkeypatch: pytest.MonkeyPatch, s: Sampling) -> None:
    """The search ends in a small rest: nothing longer is ever sorted."""
    longest = [0]
    for name in ("sort", "argsort"):
        sort = getattr(np, name)
        monkeypatch.setattr(module.np, name, lambda values, sort=sort: longest.append(len(values)) or sort(values))
    p = ours(0.1 * torch.randn(65536, generator=torch.Generator().manual_seed(1)), s)
    assert np.count_nonzero(p) > CANDIDATES and max(longest) <= CANDIDATES


# ---- draws -----------------------------------------------------------------------------------------------------------


def test_draws_follow_the_distribution() -> None:
    """4,000 draws from three tokens."""
    logits = torch.log(torch.tensor([0.6, 0.3, 0.1]))
    row = Chances(OPEN, seed=1)
    counts = Counter(draw(logits[None].clone(), [row])[0] for _ in range(4000))
    assert [round(counts[i] / 4000, 1) for i in range(3)] == [0.6, 0.3, 0.1]


def test_a_row_draws_the_same_whatever_else_is_in_the_batch() -> None:
    """Alone, in company, and at another place: its seed decides, whatever rules the others have."""
    logits = torch.randn(4, 500, generator=torch.Generator().manual_seed(2))
    settings = [
        PLAIN,
        Sampling(top_p=0.95, top_k=300),
        Sampling(top_p=1.0, mirostat_tau=3.0, dry_multiplier=1.0),
        Sampling(top_p=0.9, temperature=1.5, order=("temperature", "top_p")),
    ]

    def run(rows: list[int]) -> dict[int, list[int]]:
        chances = {
            row: Chances(
                settings[row],
                row,
                bias=Bias(leans([7, 8], 3.0)) if row else None,
                repeats=Repeats(settings[row], [], frozenset()),
            )
            for row in rows
        }
        drawn: dict[int, list[int]] = {row: [] for row in rows}
        for _ in range(20):
            tokens = draw(logits[rows].clone(), [chances[row] for row in rows])
            for row, token in zip(rows, tokens, strict=True):
                drawn[row].append(token)
                chances[row].drew(token)
        return drawn

    together = run([0, 1, 2, 3])
    for row in range(4):
        assert run([row])[row] == together[row]
    assert run([3, 2, 1])[2] == together[2]
    assert len({tuple(tokens) for tokens in together.values()}) == 4


def test_the_same_seed_draws_the_same() -> None:
    """And another one something else."""
    logits = torch.zeros(1, 1000)

    def ten(seed: int) -> list[int]:
        row = Chances(Sampling(top_p=1.0), seed)
        return [draw(logits.clone(), [row])[0] for _ in range(10)]

    assert ten(7) == ten(7) != ten(8)


def test_output_that_is_no_number_is_an_error() -> None:
    """Instead of a token from nowhere; the same where nothing may be drawn."""
    with pytest.raises(FloatingPointError):
        draw(torch.full((1, 10), torch.nan), [Chances(PLAIN, 0)])
    with pytest.raises(FloatingPointError):
        draw(torch.zeros(1, 10), [Chances(PLAIN, 0)], [torch.arange(10)])


# ---- mirostat --------------------------------------------------------------------------------------------------------


def test_mirostat_follows_its_rule_draw_by_draw() -> None:
    """The bound starts at twice tau and moves by the error of what was drawn, seen before anything was left out."""
    generator = torch.Generator().manual_seed(9)
    order = ("mirostat", "min_p")
    s = Sampling(top_p=1.0, min_p=0.05, mirostat_tau=3.0, mirostat_rate=0.4, order=order, presence=0, frequency=0)
    row, bound = Chances(s, 1), 6.0
    for _ in range(50):
        logits = 2 * torch.randn(300, generator=generator)
        expected = as_array(reference(logits, s, bound), 300)
        (found,) = distributions(logits[None].clone(), [row])
        np.testing.assert_allclose(
            as_array(dict(zip(found.ids.tolist(), found.likely, strict=True)), 300), expected, atol=1e-5
        )
        (token,) = draw(logits[None].clone(), [row])
        bound -= 0.4 * (-torch.log2(torch.softmax(logits.double(), -1))[token].item() - 3.0)
        row.drew(token)
        assert row.most_surprise == pytest.approx(bound, abs=1e-4)


@pytest.mark.parametrize(("tau", "sharp"), [(2.0, 3.0), (5.0, 2.0)])
def test_mirostat_holds_the_surprise_it_was_asked_for(tau: float, sharp: float) -> None:
    """Over 600 draws from outputs of changing sharpness."""
    generator = torch.Generator().manual_seed(3)
    row = Chances(Sampling(top_p=1.0, mirostat_tau=tau, mirostat_rate=0.1, presence=0, frequency=0), 5)
    seen = []
    for step in range(600):
        logits = (sharp + 0.3 * (step % 3)) * torch.randn(2000, generator=generator)
        (token,) = draw(logits[None].clone(), [row])
        seen.append(-torch.log2(torch.softmax(logits, -1))[token].item())
    assert np.mean(seen[100:]) == pytest.approx(tau, abs=0.25)


# ---- penalties, biases, guidance -------------------------------------------------------------------------------------


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


def plain_dry(tokens: Sequence[int], s: Sampling, breakers: frozenset[int]) -> dict[int, float]:
    """For every place where the end of the text stood before, what the token after it would cost."""
    costs: dict[int, float] = {}
    for place in range(1, len(tokens)):
        stretch = 0
        while (
            stretch < place
            and tokens[place - 1 - stretch] == tokens[len(tokens) - 1 - stretch]
            and tokens[place - 1 - stretch] not in breakers
        ):
            stretch += 1
        if stretch >= s.dry_allowed_length and tokens[place] not in breakers:
            cost = min(s.dry_multiplier * s.dry_base ** (stretch - s.dry_allowed_length), 1e4)
            costs[tokens[place]] = max(cost, costs.get(tokens[place], 0.0))
    return costs


@given(
    st.lists(st.integers(0, 4), max_size=60),
    st.integers(0, 60),
    st.integers(1, 4),
    st.integers(0, 40),
    st.frozensets(st.integers(0, 4), max_size=2),
)
@example([1] * 60, 30, 2, 40, frozenset())
@example([1, 2, 3, 1, 2], 0, 2, 40, frozenset())
def test_dry_is_its_definition(tokens: list[int], cut: int, allowed: int, reach: int, breakers: frozenset[int]) -> None:
    """Part of the text was read, part drawn; breakers end stretches; a long stretch costs no more than a ban."""
    before, drawn = tokens[:cut], tokens[cut:]
    s = Sampling(dry_multiplier=0.8, dry_allowed_length=allowed, dry_range=reach, presence=0, frequency=0)
    repeats = Repeats(s, before, breakers)
    row = Chances(s, 0, repeats=repeats)
    for token in drawn:
        row.drew(token)
    logits = torch.zeros(1, 5)
    distributions(logits, [row])
    costs = plain_dry([*(before[len(before) - min(reach, len(before)) :]), *drawn], s, breakers)
    expected = torch.tensor([-costs.get(token, 0.0) for token in range(5)])
    torch.testing.assert_close(logits[0], expected)


def test_bias_penalty_and_repetition_add_up() -> None:
    """On the same token, in a batch whose other row has none of them."""
    s = Sampling(presence=0.5, frequency=0.0, dry_multiplier=1.0, dry_allowed_length=1, top_p=1.0)
    row = Chances(s, 0, bias=Bias([*leans([1], 2.0), *leans([3], -4.0)]), repeats=Repeats(s, [2, 1, 2], frozenset()))
    row.drew(1)
    row.drew(2)
    logits = torch.zeros(2, 5)
    distributions(logits, [Chances(OPEN, 0), row])
    assert logits[0].tolist() == [0.0] * 5
    repeated = 1.75 ** (3 - 1)  # of 2 1 2 1 2 the last three have stood there before, and 1 came after them
    assert logits[1].tolist() == pytest.approx([0.0, 2.0 - 0.5 - repeated, -0.5, -4.0, 0.0])


@given(
    st.lists(st.tuples(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.floats(-9, 9)), min_size=1, max_size=4),
    st.lists(st.integers(0, 3), max_size=10),
    st.integers(0, 10),
)
def test_bias_is_its_definition(words: list[tuple[list[int], float]], tokens: list[int], cut: int) -> None:
    """A push is on each token of a word that was said so far, what holds back on the last alone; all add up."""
    bias = Bias([lean for word, amount in words for lean in leans(word, amount)], tokens[:cut])
    row = Chances(OPEN, 0, bias=bias)
    for token in tokens[cut:]:
        row.drew(token)
    expected = torch.zeros(4)
    for word, amount in words:
        for place, token in enumerate(word):
            said = tokens[max(0, len(tokens) - place) :] == word[:place] and place <= len(tokens)
            if said and (amount > 0 or place == len(word) - 1):
                expected[token] += amount
    logits = torch.zeros(1, 4)
    distributions(logits, [row])
    torch.testing.assert_close(logits[0], expected)


def test_forbidden_tokens_are_never_drawn() -> None:
    """For that row alone."""
    logits = torch.tensor([[9.0, 0, 0], [9.0, 0, 0]])
    greedy = Sampling(temperature=0)
    rows = [Chances(greedy, 0), Chances(greedy, 0)]
    first, second = draw(logits, rows, [torch.tensor([0]), None])
    assert first in (1, 2) and second == 0


@given(st.lists(st.tuples(st.floats(-30, 30), st.floats(-30, 30)), min_size=2, max_size=50), st.floats(0, 20))
def test_guidance_multiplies_what_the_prompt_changes(pairs: list[tuple[float, float]], guidance: float) -> None:
    """Odds of two tokens: those of the second prompt, times the change that the prompt makes, to the power of guidance."""
    own, against = (torch.tensor(column, dtype=torch.float64) for column in zip(*pairs, strict=True))
    p = torch.log_softmax(guided(own, against, guidance), -1)
    a, b = torch.log_softmax(own, -1), torch.log_softmax(against, -1)
    for i, j in pairwise(range(len(pairs))):
        change = (a[i] - a[j]) - (b[i] - b[j])
        assert (p[i] - p[j]).item() == pytest.approx(((b[i] - b[j]) + guidance * change).item(), abs=1e-6)


def test_guidance_of_one_and_of_none_are_the_prompts_themselves() -> None:
    """To the last bit, so that whoever turns it off gets what he had."""
    own, against = torch.randn(2, 100), torch.randn(2, 100)
    assert torch.equal(guided(own, against, 1.0), own)
    assert torch.equal(guided(own, against, 0.0), against)


# ---- settings that cannot be ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(LIMITS))
def test_numbers_have_limits(name: str) -> None:
    """The limits themselves are fine; beyond them, or of another type, is said with the name and the value."""
    least, most = LIMITS[name]
    for value in (least - 1, most + 1, "1", True, math.nan):
        with pytest.raises(ValueError, match=f"^{name}：应为"):
            Sampling(**{name: value})


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"mirostat_tau": 5.0}, "mirostat_tau：mirostat .*不能与 top_p 同用。请写 top_p: 1"),
        ({"mirostat_tau": 5.0, "top_p": 1.0, "top_k": 3}, "mirostat_tau：.*请写 top_k: 0"),
        ({"mirostat_tau": 5.0, "top_p": 1.0, "temperature": 0}, "mirostat_tau：temperature 为 0"),
        ({"typical": 0.5, "temperature": 0}, "typical：temperature 为 0"),
        ({"temperature": 0.001}, "temperature：应为 0（每次选最可能的）或不小于 0.01"),
        ({"min_tokens": 90}, "min_tokens：最少 90 个 token 多于最多的 80 个"),
        ({"order": ("top_p", "top_q")}, "order：应为这些步骤的排列"),
        ({"order": ("top_p", "top_p")}, "order：应为这些步骤的排列"),
        ({"order": ["top_p"]}, "order：应为这些步骤的排列"),
        ({"order": ("top_k",)}, "order：缺少用到的 top_p"),
        ({"order": ("top_p",), "temperature": 1.5}, "order：缺少用到的 temperature"),
        ({"ban": ("",)}, "ban：应为列表"),
        ({"ban": "加群"}, "ban：应为列表"),
        ({"logit_bias": (("哈", 1000.0),)}, "logit_bias：应为列表"),
        ({"logit_bias": (("哈", math.nan),)}, "logit_bias：应为列表"),
        ({"logit_bias": ("哈",)}, "logit_bias：应为列表"),
        ({"no_repeat": 5}, "no_repeat：应为文字"),
    ],
)
def test_contradictions_are_refused(values: dict[str, object], said: str) -> None:
    """At once and in words, instead of being read as something else."""
    with pytest.raises(ValueError, match=said):
        Sampling(**values)  # type: ignore[arg-type]


def test_all_problems_are_said_together() -> None:
    """One line each."""
    with pytest.raises(ValueError) as caught:
        Sampling(temperature=-1, top_k=-1, ban=("",))
    assert [line.partition("：")[0] for line in str(caught.value).splitlines()] == ["temperature", "top_k", "ban"]
