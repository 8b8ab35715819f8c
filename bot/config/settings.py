"""All settings as one value, and their names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, PrivateAttr

from bot.config.platforms import Adapters
from bot.config.sections import (
    Approval,
    Drafts,
    EngineSettings,
    Host,
    IntakeSettings,
    Log,
    Moderation,
    OverlaySettings,
    SamplingSettings,
    Section,
    ShowSettings,
    Web,
)
from bot.engine.models.folder import find_model, models_folder
from bot.engine.sampling.presets import as_fields
from bot.engine.types import Sampling

PROJECT = Path(__file__).parents[2]


class Config(Section):
    """All settings. Paths are absolute or count from `folder`; "" means: the one that ships with the project."""

    save: Host = "Save"
    lang: Literal["zh", "en"] = "zh"
    model: str = ""
    strategy: Host = "auto"
    scenario: str = ""
    replay: str = ""
    replay_speed: Annotated[float, Field(ge=0, le=10000)] = 1.0
    web: Web = Web()
    engine: EngineSettings = EngineSettings()
    drafts: Drafts = Drafts()
    sampling: SamplingSettings = SamplingSettings()
    approval: Approval = Approval()
    intake: IntakeSettings = IntakeSettings()
    show: ShowSettings = ShowSettings()
    overlay: OverlaySettings = OverlaySettings()
    moderation: Moderation = Moderation()
    adapters: Adapters = Adapters()
    log: Log = Log()

    _folder: Path = PrivateAttr(default_factory=Path.cwd)
    _file: Path | None = PrivateAttr(default=None)

    @property
    def file(self) -> Path | None:
        """The file that was read; None: no file, only defaults."""
        return self._file

    @property
    def folder(self) -> Path:
        """What relative paths count from."""
        return self._folder

    def path(self, setting: str) -> Path:
        """A path from the settings as an absolute one."""
        return Path(os.path.abspath(self.folder / Path(setting).expanduser()))

    @property
    def save_folder(self) -> Path:
        return self.path(self.save)

    @property
    def model_path(self) -> Path | None:
        """A file, or one that was downloaded, by its name. None: the demo model that ships with the project."""
        if not self.model:
            return None
        file = self.path(self.model)
        downloaded = file if file.is_file() else find_model(self.model, models_folder())
        return downloaded if downloaded.is_file() else file

    @property
    def tuned_path(self) -> Path | None:
        """None: the model begins with an empty memory."""
        return self.path(self.engine.state) if self.engine.state else None

    @property
    def states_folder(self) -> Path | None:
        """None: the user's own cache folder."""
        return self.path(self.engine.states.folder) if self.engine.states.folder else None

    @property
    def base_sampling(self) -> Sampling:
        """What holds where a scenario says nothing else. ValueError: the settings contradict each other."""
        values = self.sampling.model_dump(exclude={"presets"})
        return Sampling(max_tokens=self.drafts.max_tokens, **as_fields(values))

    @property
    def replay_path(self) -> Path | Literal["demo"] | None:
        """None: nothing is replayed."""
        if self.replay in ("", "demo"):
            return "demo" if self.replay else None
        return self.path(self.replay)

    @property
    def word_files(self) -> tuple[Path, ...]:
        return tuple(self.path(file) for file in self.moderation.words)


def setting_names(section: BaseModel | None = None, before: str = "") -> list[str]:
    """Every setting as a dotted key, in the order of the file."""
    names: list[str] = []
    for name, value in section or Config():
        names += setting_names(value, f"{before}{name}.") if isinstance(value, BaseModel) else [before + name]
    return names
