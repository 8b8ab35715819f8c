"""How each character of a scenario draws its words: what the scenario's file says under "Sampling", over the settings.

Both the scenario and a character may say it: `"Sampling": "drama"`, or values that stand over those of the settings,
`"Sampling": {"preset": "chat", "temperature": 1.2}`. A character's stand over the scenario's.
"""

from __future__ import annotations

from collections.abc import Mapping

from bot.engine.sampling.presets import Values, sampling_from
from bot.engine.types import Sampling
from bot.scenario import Scenario, ScenarioError

KEY = "Sampling"


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
