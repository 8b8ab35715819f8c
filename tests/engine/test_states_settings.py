"""What config.yaml says of states reaches the model's process."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from bot.app import build_engine
from bot.config import load_config
from bot.engine.process import LocalEngine
from bot.engine.states.keeping import MEBIBYTE, Keeping


def told(**settings: object) -> tuple[Keeping, list[str]]:
    """What a worker that is started with these settings reads from its command line, and that line."""
    engine = build_engine(load_config(None, {f"engine.{key}": value for key, value in settings.items()}), print)
    assert isinstance(engine, LocalEngine)
    parser = argparse.ArgumentParser(allow_abbrev=False)
    Keeping.add_to(parser)
    return Keeping.of(parser.parse_known_args(engine._command)[0]), engine._command


def test_defaults_keep_states_in_the_users_cache(monkeypatch: pytest.MonkeyPatch, own_states: Path) -> None:
    """Not where people share files; tests and the curious may say where."""
    assert told()[0] == Keeping(256 * MEBIBYTE, 2000 * MEBIBYTE, own_states)
    monkeypatch.delenv("COHOST_STATES")
    assert told()[0].folder == user_cache_path("rwkv-cohost", appauthor=False) / "states"


def test_settings_reach_the_process(tmp_path: Path) -> None:
    """Folder, both limits, and the state to begin with."""
    state = tmp_path / "tuned.pth"
    state.touch()
    keeping, command = told(
        **{"states.folder": str(tmp_path), "states.disk_limit": 0, "states.memory_limit": 7, "state": str(state)}
    )
    assert keeping == Keeping(7 * MEBIBYTE, 0, tmp_path)
    assert f"--state={state}" in command
