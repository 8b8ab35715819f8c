"""The sections of config.yaml that are about no platform: their keys, defaults and limits."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from bot.engine.sampling.limits import LIMITS, STEPS
from bot.messages import Role
from moderation.policy import DEFAULT_EXCEPTIONS, DEFAULT_LEVEL

Port = Annotated[int, Field(ge=0, le=65535)]  # 0: any free one
Seconds = Annotated[float, Field(gt=0, le=86400)]
Lifetime = Annotated[float, Field(ge=0, le=86400)]  # 0: for ever
Host = Annotated[str, StringConstraints(min_length=1)]


class Section(BaseModel):
    """Read once, never changed. `strict`: "57860" is not a number and 1 is not a yes."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _empty_means_defaults(cls, values: object) -> object:
        """A section whose lines are all commented out is null in YAML."""
        if not isinstance(values, dict):
            return values
        empty = {name for name in values if values[name] is None and name in cls.model_fields}
        sections = {name for name in empty if isinstance(cls.model_fields[name].default, BaseModel)}
        return {name: value for name, value in values.items() if name not in sections}


class Log(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"


class Web(Section):
    host: Host = "127.0.0.1"
    port: Port = 57860
    names: Annotated[tuple[str, ...], Field(strict=False)] = ()


ServerUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s/@?#]+[^\s@?#]*$")]


class Remote(Section):
    """Servers that draft in place of a model on this machine. No URL: the model runs here."""

    urls: Annotated[tuple[ServerUrl, ...], Field(strict=False)] = ()
    model: str = ""
    api_key: SecretStr = SecretStr("")
    form: Literal["auto", "completions", "chat", "lightning"] = "auto"
    connect_timeout: Seconds = 5.0
    first_timeout: Seconds = 60.0
    silence_timeout: Seconds = 20.0
    max_in_flight: Annotated[int, Field(ge=1, le=1000)] = 8
    proxy: Annotated[str, StringConstraints(pattern=r"^(https?://\S+)?$")] = ""


class States(Section):
    """Where the model's states outlive the process. Limits in MB (1024 * 1024 bytes); `disk_limit` 0: nowhere."""

    folder: str = ""
    disk_limit: Annotated[int, Field(ge=0, le=10_000_000)] = 2000
    memory_limit: Annotated[int, Field(ge=0, le=10_000_000)] = 256


class EngineSettings(Section):
    """`state` is a file of tuned states for the model to begin with."""

    state: str = ""
    states: States = States()
    remote: Remote = Remote()


class Drafts(Section):
    count: Annotated[int, Field(ge=1, le=16)] = 5
    max_tokens: Annotated[int, Field(ge=1, le=2000)] = 80
    turns: Annotated[int, Field(ge=1, le=1000)] = 16


def _within(name: str) -> Any:
    least, most = LIMITS[name]
    return Field(ge=least, le=most)


Entries = Annotated[tuple[Any, ...], Field(strict=False)]  # what they hold is checked by bot.engine.sampling.limits


class SamplingValues(Section):
    """The fields of bot.engine.Sampling, but for the length, which is `drafts.max_tokens`."""

    temperature: Annotated[float, _within("temperature")] = 1.0
    top_p: Annotated[float, _within("top_p")] = 0.7
    top_k: Annotated[int, _within("top_k")] = 0
    min_p: Annotated[float, _within("min_p")] = 0.0
    typical: Annotated[float, _within("typical")] = 1.0
    mirostat_tau: Annotated[float, _within("mirostat_tau")] = 0.0
    mirostat_rate: Annotated[float, _within("mirostat_rate")] = 0.1
    order: Entries = STEPS
    guidance: Annotated[float, _within("guidance")] = 1.0
    presence: Annotated[float, _within("presence")] = 0.5
    frequency: Annotated[float, _within("frequency")] = 0.5
    decay: Annotated[float, _within("decay")] = 0.996
    no_repeat: str = ""
    dry_multiplier: Annotated[float, _within("dry_multiplier")] = 0.0
    dry_base: Annotated[float, _within("dry_base")] = 1.75
    dry_allowed_length: Annotated[int, _within("dry_allowed_length")] = 2
    dry_range: Annotated[int, _within("dry_range")] = 512
    dry_breakers: str = '\n:："*'
    ban: Entries = ()
    logit_bias: Entries = ()
    min_tokens: Annotated[int, _within("min_tokens")] = 0
    seed: Annotated[int, _within("seed")] | None = None


class SamplingSettings(SamplingValues):
    """`presets`: by name, each only what it changes."""

    presets: dict[str, SamplingValues] = {}

    @property
    def own_presets(self) -> dict[str, dict[str, Any]]:
        return {name: preset.model_dump(exclude_unset=True) for name, preset in self.presets.items()}


class CardLifetimes(Section):
    """How long a card waits for a person, in seconds by wait class. 0: for ever."""

    super_chat: Lifetime = 300.0
    guard: Lifetime = 600.0
    gift_text: Lifetime = 120.0
    mention: Lifetime = 90.0
    question: Lifetime = 90.0
    other: Lifetime = 60.0

    def by_class(self) -> dict[str, float | None]:
        """None: for ever."""
        return {name: seconds or None for name, seconds in self.model_dump().items()}


class Approval(Section):
    max_pending: Annotated[int, Field(ge=1, le=100)] = 5
    max_text: Annotated[int, Field(ge=1, le=2000)] = 200
    expire: CardLifetimes = CardLifetimes()


class IntakeLifetimes(Section):
    """How long a message waits to be chosen, in seconds by wait class."""

    super_chat: Seconds = 300.0
    guard: Seconds = 600.0
    gift_text: Seconds = 120.0
    mention: Seconds = 60.0
    question: Seconds = 60.0
    other: Seconds = 45.0

    def by_class(self) -> dict[str, float]:
        return dict(self.model_dump())


class IntakeSettings(Section):
    limit: Annotated[int, Field(ge=1, le=10000)] = 200
    cooldown: Annotated[float, Field(ge=0, le=86400)] = 20.0
    expire: IntakeLifetimes = IntakeLifetimes()


class ShowSettings(Section):
    need_operator: bool = True
    quote: bool = True


class OverlaySettings(Section):
    label: Annotated[str, StringConstraints(max_length=40)] = "AI 生成"
    min_seconds: Seconds = 6.0
    seconds_per_char: Annotated[float, Field(ge=0, le=60)] = 0.25
    max_seconds: Seconds = 30.0


NAME = r"^[^\s:]{0,40}$"
Level = Annotated[int, Field(ge=0, le=4)]
Categories = Annotated[tuple[str, ...], Field(strict=False)]


class ModerationLevels(Section):
    """Levels of single categories, in each direction."""

    messages: dict[str, Level] = {}
    replies: dict[str, Level] = {}


class ModerationExceptions(Section):
    """The categories that only mark a message of this role."""

    streamer: Categories = tuple(DEFAULT_EXCEPTIONS[Role.STREAMER])
    moderator: Categories = tuple(DEFAULT_EXCEPTIONS[Role.MODERATOR])
    guard: Categories = ()

    def by_role(self) -> dict[Role, tuple[str, ...]]:
        return {Role(name): categories for name, categories in self}


class Service(Section):
    """One of the user's own (docs/moderation.md has the protocol). `direction`: what it is asked about."""

    name: Annotated[str, StringConstraints(pattern=NAME)] = ""
    url: Annotated[str, StringConstraints(pattern=r"^(https?://[^\s/@#]+[^\s@#]*)?$")] = ""
    timeout: Annotated[float, Field(gt=0, le=30)] = 3.0
    api_key: SecretStr = SecretStr("")
    direction: Literal["both", "messages", "replies"] = "both"


class Moderation(Section):
    level: Level = DEFAULT_LEVEL
    levels: ModerationLevels = ModerationLevels()
    exceptions: ModerationExceptions = ModerationExceptions()
    words: Annotated[tuple[str, ...], Field(strict=False)] = ()
    force: bool = False
    max_length: Annotated[int, Field(ge=1, le=10000)] = 80
    links: Literal["block", "flag", "allow"] = "block"
    allow: Annotated[tuple[str, ...], Field(strict=False)] = ()
    secrets: Annotated[tuple[str, ...], Field(strict=False)] = ()
    help_line: Annotated[str, StringConstraints(max_length=60)] = ""
    services: Annotated[tuple[Service, ...], Field(strict=False)] = ()


# Keep what an adapter hears as recordings; "names": with the viewers' names.
