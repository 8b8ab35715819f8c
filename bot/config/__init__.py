"""Every setting, its default and its limits. `load_config` reads config.yaml and reports all mistakes at once.

Knows nothing of the parts that the settings are for: app.py hands each part its numbers. There is no setting that lets
anything reach the audience without a person's yes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from itertools import takewhile
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bot.config.file import Key, Mistake, Tree, read_tree
from bot.config.platforms import PresetName, WebsocketClientSettings, WebsocketServerSettings
from bot.config.rules import beyond_types, missing_model, sampling_mistakes, state_files
from bot.config.sections import SamplingValues
from bot.config.settings import PROJECT, Config, setting_names
from bot.config.wording import mistake_of
from bot.errors import UserError

__all__ = [
    "PROJECT",
    "Config",
    "ConfigError",
    "PresetName",
    "SamplingValues",
    "WebsocketClientSettings",
    "WebsocketServerSettings",
    "find_config",
    "load_config",
    "setting_names",
]

FILE_NAME = "config.yaml"


class ConfigError(UserError):
    """Everything that is wrong with the settings: a line each, `file:line key：what is wrong. What to write.`

    `rest`: the settings with those in error left at their defaults, for whoever looks for further mistakes.
    """

    def __init__(self, mistakes: list[Mistake], rest: Config) -> None:
        self.mistakes = sorted(mistakes, key=lambda mistake: mistake.line)
        self.rest = rest
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


def find_config(cwd: Path | None = None) -> Path | None:
    """config.yaml of this folder, else the project's own, else None."""
    places = (cwd or Path.cwd(), PROJECT)
    return next((place / FILE_NAME for place in places if (place / FILE_NAME).is_file()), None)


def load_config(
    file: Path | None,
    overrides: Mapping[str, object] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    lang: str | None = None,
) -> Config:
    """The checked settings: `overrides` (dotted keys, as `web.port`) over the file over the defaults.

    `file` None: no file. `lang` is for the mistakes, None: as the file says. Raises ConfigError with all mistakes.
    """
    tree = read_tree(file, os.environ if environment is None else environment) if file else Tree()
    for key, value in (overrides or {}).items():
        tree.put(key, value)
    speak = lang or ("en" if tree.values.get("lang") == "en" else "zh")
    mistakes = [*tree.mistakes(speak), *_type_mistakes(tree, speak), *beyond_types(tree, speak)]
    mistakes += sampling_mistakes(tree, _settings(tree, mistakes, file), speak)
    config = _settings(tree, mistakes, file)
    if mistakes := [*mistakes, *missing_model(tree, config, speak), *state_files(tree, config, speak)]:
        raise ConfigError(mistakes, _settings(tree, mistakes, file))
    return config


def _settings(tree: Tree, mistakes: list[Mistake], file: Path | None) -> Config:
    """All that is no mistake; the rest stays at its defaults."""
    config = Config.model_validate(_without(tree.values, [mistake.path for mistake in mistakes]))
    config._file = file
    config._folder = file.absolute().parent if file else Path.cwd()
    return config


def _type_mistakes(tree: Tree, lang: str) -> Iterator[Mistake]:
    """Unknown keys, wrong types, numbers out of range. A variable that is not set has been reported already."""
    unset = {key for key, _, code, _ in tree.problems if code == "no_variable"}
    try:
        Config.model_validate(tree.values)
    except ValidationError as error:
        for detail in error.errors():
            if detail["loc"] not in unset:
                yield mistake_of(tree, dict(detail), lang)


def _without(values: Mapping[str, Any], keys: Iterable[Key]) -> dict[str, Any]:
    """The values less these keys (a list with one bad entry goes as a whole)."""
    rest: dict[str, Any] = deepcopy(dict(values))
    for key in keys:
        *sections, last = [str(name) for name in takewhile(lambda name: isinstance(name, str), key)] or [""]
        inner: Any = rest
        for name in sections:
            inner = inner.get(name) if isinstance(inner, dict) else None
        if isinstance(inner, dict):
            inner.pop(last, None)
    return rest
