"""`cohost bench moderation`: every figure that it promises, and what it needs."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bot.__main__ import main
from bot.bench import moderation

COSTS = ("speed.", "memory.")


def test_it_measures_all_that_the_checks_are_held_to(capsys: pytest.CaptureFixture[str]) -> None:
    """One line of JSON with the keys that its module explains; what is found and left alone is enough."""
    report = moderation.run(as_json=True, quick=True)
    assert json.loads(capsys.readouterr().out) == report
    assert set(report) == set(re.findall(r"^- `(\w+)`:", str(moderation.__doc__), re.MULTILINE))
    short = [one for one in report["targets"] if not one["met"] and not one["figure"].startswith(COSTS)]
    assert not short
    assert report["forging"]["strings"] == 1000
    assert report["cold"]["measured"] is False and report["cold"]["texts"] == 5323


def test_a_turn_that_is_forged_would_be_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the sanitiser, hostile strings do forge turns."""
    monkeypatch.setattr("bot.engine.prompting.sanitise", lambda text, *_: text)
    assert moderation._forging(200)["forged"] > 0


def test_what_is_missing_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder without the public texts is one line, and exit code 1."""
    assert main(["bench", "moderation", "--data", str(tmp_path)]) == 1
    assert "tools/moderation_data.py" in capsys.readouterr().err
    with pytest.raises(moderation.UserError, match=r"\[test\]"):
        moderation._ours("tests.no_such_module")
