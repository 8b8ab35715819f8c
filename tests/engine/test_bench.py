"""`cohost bench engine` measures both sides and says what its documentation promises."""

from __future__ import annotations

import json
from statistics import median

import pytest

from bot.engine.bench import run as bench


def test_ratios_are_medians_of_each_rounds_own() -> None:
    """A round in which the machine was busy does not decide."""
    rwkv = {"prefill": [100, 100, 10], "one_draft": [20, 20, 2], "five_drafts": [20, 20, 2]}
    ours = {"prefill": [300, 300, 30], "one_draft": [40, 40, 4], "five_drafts": [150, 100, 10]}
    slower = ours | {"five_drafts": [80, 80, 8]}
    memory = {"read": [4e9, 4e9, 4e8]}
    found = {"rwkv": rwkv, "cpu fp32": ours, "cpu bf16": slower, "llama.cpp F16": slower, "memory": memory}
    report = bench.summary(found, parameters=10_000_000)
    assert report["best"] == "cpu fp32"
    assert report["rwkv"] == {"prefill": 100, "one_draft": 20, "five_drafts": 20}
    assert report["vs_rwkv"] == {"prefill": 3, "one_draft": 2, "five_drafts": 5}
    assert report["five_over_one"] == median([200 / 150, 2, 2])
    assert report["strategies"]["cpu fp32"]["vs_llama"] == {
        "llama.cpp F16": {"prefill": 1, "one_draft": 1, "five_drafts": 1.25}
    }
    assert report["memory_gb_s"] == 4
    assert report["strategies"]["cpu fp32"]["memory_share"] == {"one_draft": 0.4, "five_drafts": 0.2}


def test_the_whole_measurement_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """On a tiny shape, against the real package: the JSON that is printed has the documented keys."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("RWKV_CUDA_ON", "1")
    report = bench.run(True, quick=True)
    assert json.loads(capsys.readouterr().out) == report
    assert bench.__doc__ is not None
    assert all(key in bench.__doc__ for key in report)
    for name in bench.STRATEGIES:
        side = report["strategies"][name]
        assert side["five_drafts"] > 0 and set(side["vs_rwkv"]) == set(bench.TASKS)
        assert all(key in bench.__doc__ for key in side)
    assert 0 <= report["int8"]["demo"]["kl"] < 0.01 and report["int8"]["demo"]["agreement"] > 0.9
    assert set(report["llama"]) <= {"llama.cpp F16", "llama.cpp Q8_0"}
    assert [set(target) for target in report["targets"]] == [{"figure", "wanted", "aim", "reached", "met"}] * 12
    assert report["restart"]["same_text"]
