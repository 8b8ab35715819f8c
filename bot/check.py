"""What `cohost check` looks at beyond config.yaml: the files that the settings name. Starts nothing, changes nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

from adapters.base import AdapterError
from adapters.bridges.mapping import Outcome, Passed
from adapters.bridges.reading import Answer, Reading
from adapters.replay import load_recording, resolve
from adapters.texts import say as adapters_say
from adapters.wire import FrameError, frame_from_event
from bot.app import DEMO_MODEL, build_chats
from bot.backstage import scenario_file, show_rules
from bot.config import Config
from bot.config.texts import say
from bot.engine.models.describe import describe
from bot.engine.models.headers import read_facts
from bot.engine.strategy.grammar import is_auto, parse_strategy
from bot.errors import UserError
from bot.scenario import ScenarioError, load_scenario
from moderation import WordListError
from moderation.lists import load_lists


def mistakes(config: Config) -> Iterator[str]:
    """Every mistake in the files, as lines for people."""
    yield from _scenario(config)
    yield from _words(config)
    yield from _replay(config)
    yield from _chats(config)
    if not is_auto(config.strategy) and not config.engine.remote.urls:
        yield from _strategy(config)


def sample(file: Path, reader: Reading, platform: str, lang: str) -> Iterator[str]:
    """What each line of a file of frames becomes: the message, or why there is none. Raises UserError: no such file.

    Lines are read in order by one reader, so running totals of gifts count as they would in a show.
    """
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise UserError(say(lang, "no_sample", file=file, reason=error.strerror)) from error
    for number, line in enumerate(lines, 1):
        if line.strip():
            for outcome in reader.read(line, platform, time.time()):
                yield f"{number}: {_sampled(outcome, lang)}"


def _sampled(outcome: Outcome | Answer, lang: str) -> str:
    if isinstance(outcome, FrameError):
        return say(lang, "sample_bad", why=outcome.text(lang))
    if isinstance(outcome, Passed):
        return say(lang, "sample_passed", why=adapters_say(lang, outcome.reason))
    if isinstance(outcome, Answer):
        return say(lang, "sample_answer", text=outcome.text)
    return json.dumps(frame_from_event(outcome), ensure_ascii=False)


def _scenario(config: Config) -> Iterator[str]:
    try:
        show_rules(config, load_scenario(scenario_file(config)))
    except ScenarioError as error:
        yield str(error)


def _words(config: Config) -> Iterator[str]:
    for file in config.word_files:
        try:
            load_lists([file], force=config.moderation.force)
        except WordListError as error:
            yield str(error)


def _replay(config: Config) -> Iterator[str]:
    if config.replay_path is None:
        return
    try:
        load_recording(resolve(config.replay_path), "replay", config.lang)
    except AdapterError as error:
        yield str(error)


def _chats(config: Config) -> Iterator[str]:
    """What an adapter refuses as soon as it is made: a library that is missing, or too old."""
    try:
        list(build_chats(config))
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
