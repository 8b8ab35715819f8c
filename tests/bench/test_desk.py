"""`cohost bench desk` says what its documentation promises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.bench import desk as bench
from bot.save import Save
from bot.scenario import render


def test_it_reports_what_it_documents(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A short scene, the real program three times: every key stands in the module's text, every target in the table."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    report = bench.run(True, quick=True)
    assert json.loads(capsys.readouterr().out) == report
    assert bench.__doc__ is not None
    for key in (*report, *report["warm"], *report["targets"][0]):
        assert f"`{key}`" in bench.__doc__, key
    assert report["lines"] == 60 and report["steps"] == 1 + 2 * 6 and report["tokens"] > 300
    for kind in ("warm", "restart", "cold"):
        assert 0 < report[kind]["first_text"] <= report[kind]["last_draft"]
    # What was read before is not read again, in this life or the next; what never was, is.
    assert max(report["warm"]["tokens_read"], report["restart"]["tokens_read"]) < report["cold"]["tokens_read"]
    lines = "\n".join(bench.table(report))
    assert all(f"{target['figure']} {target['reached']:.3f}" in lines for target in report["targets"])


def test_a_target_that_is_missed_is_said() -> None:
    """In the report and in the table."""
    report = {"open": 1.5, "warm": {"last_draft": 0.5}}
    assert [target["met"] for target in bench.judged(report)] == [False, True]


def test_the_scene_is_the_same_every_time(tmp_path: Path) -> None:
    """As long as it should be, on record step by step, with every speaker in it."""
    assert bench.write_scene(tmp_path / "Save", 100) == 1 + 2 * 10
    told = list(bench.story(99))
    assert told == list(bench.story(99)) and {line.character for line in told} == set(bench.SAID)
    save = Save(tmp_path / "Save")
    try:
        (row,) = save.desk.scenes()
        assert row.lines == 100
    finally:
        save.close()
    assert len(render(told)) > 500
