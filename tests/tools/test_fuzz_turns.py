"""The tool that tries to forge turns says so when it has forged one."""

from __future__ import annotations

import re

import pytest

from bot.engine import prompting
from tools import fuzz_turns


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz_turns, "BATCH", 200)


def test_nothing_gets_through() -> None:
    """Two batches; the million of the full run is the tool's default."""
    assert fuzz_turns.attack(1) == fuzz_turns.attack(2) == []


@pytest.mark.parametrize(
    ("part", "broken"), [("_roles", lambda names: re.compile("(?!)(.)")), ("_clean", lambda text, roles: text)]
)
def test_a_sanitiser_with_a_hole_is_found_out(monkeypatch: pytest.MonkeyPatch, part: str, broken: object) -> None:
    """Without its rule for names, or without any, the first batch breaks it."""
    monkeypatch.setattr(prompting, part, broken)
    found = fuzz_turns.attack(1)
    assert found and found[0].startswith("seed 1: [(")
