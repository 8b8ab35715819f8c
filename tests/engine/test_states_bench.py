"""The bench of restarts measures what it says."""

from __future__ import annotations

from bot.engine.bench import restart as bench_restart


def test_the_report_says_what_is_documented() -> None:
    """Real processes on a tiny model: a warm start reads nothing and says the same."""
    report = bench_restart.report(quick=True)
    assert bench_restart.__doc__ is not None
    keys = [*report, *report["cold"], *report["cold_over_warm"]]
    assert [key for key in keys if key not in bench_restart.__doc__] == []
    assert report["prompt_tokens"] > 1900 and report["cold"]["tokens_read"] == report["prompt_tokens"]
    assert report["warm"]["tokens_read"] == 0 and report["same_text"] is True
    assert report["state_bytes"] > 0
    for side in ("cold", "warm"):
        times = report[side]
        assert 0 < times["first_text"] <= times["last_draft"] < times["total"]
    assert set(report["cold_over_warm"]) == set(bench_restart.TIMES)
