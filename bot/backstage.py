"""Makes a scenario ready for the show, by the settings: its checks, its rules, its pictures; and which one comes first."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bot.config import Config
from bot.errors import Refused, UserError
from bot.rules import Rules
from bot.save import Save
from bot.save.catalogue import find_avatar
from bot.scenario import SCENARIO_FILE, Scenario, load_scenario
from bot.staging import CHOSEN, Staging
from bot.voices import character_samplings, scenario_sampling
from moderation import Chain, Filter, Policy, WatchedWords, build_chain
from moderation.care import care_words
from moderation.providers import Providers

DEMO_SCENARIO = Path(__file__).parent / "engine" / "demo" / "scenario.json"
SETTINGS = "scenario.settings"  # what config.yaml said when the choice at the panel was made

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Backstage:
    """By series and name; a `Stage`. `words` and `services` are asked by the checks of every scenario."""

    config: Config
    save: Save
    words: WatchedWords
    services: Providers | None = None

    def __call__(self, series: str, name: str) -> Staging:
        """Both names "": the scenario of the settings. Raises Refused or UserError."""
        if not series and not name:
            return self._of_settings()
        kept = self.save.library.read(series, name)
        folder = self.save.library.folder(series, name)
        return self._ready(kept.scenario, folder / SCENARIO_FILE, f"{kept.series}/{kept.name}")

    def first(self) -> Staging:
        """The one that was chosen at the panel, as long as config.yaml still says what it said then; else the one of
        the settings. Raises UserError."""
        if self.save.recollect(SETTINGS) != self.config.scenario:
            self.save.remember(CHOSEN, "")  # in this order: a crash in between does it again
            self.save.remember(SETTINGS, self.config.scenario)
        series, _, name = (self.save.recollect(CHOSEN) or "").partition("/")
        try:
            return self(series, name)
        except (Refused, UserError) as error:
            if not series:
                raise
            log.warning("上次选的剧本用不了，改用设置里的：%s The chosen scenario cannot be played.", error)
            return self._of_settings()

    def _of_settings(self) -> Staging:
        file = scenario_file(self.config)
        return self._ready(load_scenario(file), file, "")

    def _ready(self, scenario: Scenario, file: Path, choice: str) -> Staging:
        checks = build_checks(self.config, scenario, self.words, self.services)
        rules = show_rules(self.config, scenario, file)
        return Staging(scenario, checks, rules, find_avatars(scenario, file.parent), choice)


def scenario_file(config: Config) -> Path:
    """The scenario of the settings, or the demo's."""
    return config.save_folder / config.scenario / SCENARIO_FILE if config.scenario else DEMO_SCENARIO


def find_avatars(scenario: Scenario, folder: Path) -> dict[str, Path]:
    """The pictures beside the scenario, as the library keeps them."""
    found = {character.name: find_avatar(folder, character.name) for character in scenario.characters}
    return {name: path for name, path in found.items() if path is not None}


def build_checks(config: Config, scenario: Scenario, words: Filter, services: Filter | None = None) -> Chain:
    """Everything that a text is asked, with the lists as they are given."""
    return build_chain(
        words=words,
        max_length=config.moderation.max_length,
        reply_length=config.approval.max_text,
        links=config.moderation.links,
        speakers=scenario.speakers,
        policy=build_policy(config),
        allow=(*config.moderation.allow, config.moderation.help_line),
        card=scenario.background,
        secrets=config.moderation.secrets,
        services=services,
    )


def build_policy(config: Config) -> Policy:
    settings = config.moderation
    levels, exceptions = settings.levels, settings.exceptions
    return Policy(settings.level, messages=levels.messages, replies=levels.replies, exceptions=exceptions.by_role())


def show_rules(config: Config, scenario: Scenario, path: Path | None = None) -> Rules:
    """Raises ScenarioError where the scenario asks for a way of drawing words that cannot be. `path` is the scenario's,
    None: that of the settings."""
    base, presets, file = config.base_sampling, config.sampling.own_presets, str(path or scenario_file(config))
    return Rules(
        drafts=config.drafts.count,
        sampling=scenario_sampling(scenario, base, presets, file),
        voices=character_samplings(scenario, base, presets, file),
        turns=config.drafts.turns,
        max_pending=config.approval.max_pending,
        max_text=config.approval.max_text,
        need_operator=config.show.need_operator,
        quote=config.show.quote,
        lifetimes=config.approval.expire.by_class(),
        least_seconds=config.overlay.min_seconds,
        seconds_per_character=config.overlay.seconds_per_char,
        most_seconds=config.overlay.max_seconds,
        care=care_words(config.moderation.help_line, config.lang),
        lang=config.lang,
        version=program_version(),
    )


def program_version() -> str:
    try:
        return version("rwkv-cohost")
    except PackageNotFoundError:  # run from a checkout that nobody has installed
        return ""
