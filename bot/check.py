"""What `cohost check` looks at beyond config.yaml: the files that the settings name. Starts nothing, changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from adapters.base import AdapterError
from adapters.replay import load_recording, resolve
from bot.app import DEMO_MODEL, scenario_file, show_rules
from bot.config import Config
from bot.engine.models.describe import describe
from bot.engine.models.headers import read_facts
from bot.engine.strategy.grammar import is_auto, parse_strategy
from bot.errors import UserError
from bot.scenario import ScenarioError, load_scenario
from moderation import WordListError
from moderation.words import load_words

SCENARIO_FILE = "场景剧本.json"


def mistakes(config: Config) -> Iterator[str]:
    """Every mistake in the files, as lines for people."""
    yield from _scenario(config)
    yield from _words(config)
    yield from _replay(config)
    if not is_auto(config.strategy) and not config.engine.remote.urls:
        yield from _strategy(config)


def describe_scenario(file: Path) -> str:
    """Reads a scenario (or the folder that it lies in) and says in a line what it is. Raises ScenarioError."""
    scenario = load_scenario(file / SCENARIO_FILE if file.is_dir() else file)
    names = "、".join(scenario.speakers)
    return f"{scenario.series}/{scenario.name}：{names}；{len(scenario.opening)} 行前置剧情。 OK"


def _scenario(config: Config) -> Iterator[str]:
    try:
        show_rules(config, load_scenario(scenario_file(config)))
    except ScenarioError as error:
        yield str(error)


def _words(config: Config) -> Iterator[str]:
    for file in config.word_files:
        try:
            load_words(file)
        except WordListError as error:
            yield str(error)


def _replay(config: Config) -> Iterator[str]:
    if config.replay_path is None:
        return
    try:
        load_recording(resolve(config.replay_path), "replay", config.lang)
    except AdapterError as error:
        yield str(error)


def _strategy(config: Config) -> Iterator[str]:
    """Needs torch, which takes a second or two to import: only when somebody wrote a strategy."""
    from bot.engine.strategy.machine import check_devices

    try:
        strategy = parse_strategy(config.strategy)
        check_devices(strategy)
        strategy.plan(describe(read_facts(config.model_path or DEMO_MODEL)).layers)
    except UserError as error:
        yield str(error)
