"""How each character of a scenario draws its words: what the scenario's file says under "Sampling", over the settings.

Both the scenario and a character may say it: `"Sampling": "drama"`, or values that stand over those of the settings,
`"Sampling": {"preset": "chat", "temperature": 1.2}`. A character's stand over the scenario's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.engine.sampling.presets import BUILT_IN, Values, sampling_from
from bot.engine.types import Sampling
from bot.scenario import Scenario, ScenarioError

KEY = "Sampling"


@dataclass(frozen=True, slots=True)
class Voices:
    """How words are drawn where nobody says otherwise, and the presets that can be asked for by name."""

    base: Sampling = Sampling()
    presets: Mapping[str, Values] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the presets."""
        return tuple(dict.fromkeys((*BUILT_IN, *self.presets)))

    def of(self, scenario: Scenario, character: str, wanted: object = None, min_length: int = 0) -> Sampling:
        """A character's own way, and what somebody wants this time over it. Raises ScenarioError for what the scenario
        says, ValueError for what is wanted."""
        file = f"{scenario.series}/{scenario.name}"
        own = character_samplings(scenario, self.base, self.presets, file)
        usual = own.get(character) or scenario_sampling(scenario, self.base, self.presets, file)
        return at_least(usual if wanted is None else sampling_from(wanted, usual, self.presets), min_length)


def at_least(sampling: Sampling, length: int) -> Sampling:
    """With room above a length that a person asked for; 0: the usual one."""
    if not length:
        return sampling
    return replace(sampling, min_tokens=length, max_tokens=max(sampling.max_tokens, 2 * length))


def scenario_sampling(scenario: Scenario, base: Sampling, presets: Mapping[str, Values], file: str) -> Sampling:
    """For whoever has no settings of their own. Raises ScenarioError, which names `file` and the place in it."""
    return _over(base, scenario.extra, presets, file, KEY)


def character_samplings(
    scenario: Scenario, base: Sampling, presets: Mapping[str, Values], file: str
) -> dict[str, Sampling]:
    """By name, for those who have settings of their own. Raises ScenarioError."""
    common = scenario_sampling(scenario, base, presets, file)
    return {
        character.name: _over(common, character.extra, presets, file, f"CharacterData {character.name} {KEY}")
        for character in scenario.characters
        if KEY in character.extra
    }


def _over(
    base: Sampling, extra: Mapping[str, object], presets: Mapping[str, Values], file: str, where: str
) -> Sampling:
    if KEY not in extra:
        return base
    try:
        return sampling_from(extra[KEY], base, presets)
    except ValueError as error:
        raise ScenarioError(file, where, str(error)) from error
