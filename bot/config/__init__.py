"""Every setting, its default and its limits. `load_config` reads config.yaml and reports all mistakes at once.

Knows nothing of the parts that the settings are for: app.py hands each part its numbers. There is no setting that lets
anything reach the audience without a person's yes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from difflib import get_close_matches
from importlib.metadata import entry_points
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    StringConstraints,
    ValidationError,
    model_validator,
)

from adapters.bilibili.open_live import Keys
from adapters.bridges.mapping import problems as mapping_problems
from adapters.bridges.reading import platform_of
from bot.config.chats import chat_mistakes
from bot.config.file import Key, Mistake, Tree, read_tree
from bot.config.policy import policy_mistakes, service_mistakes
from bot.config.texts import knows, say
from bot.engine.models.folder import find_model, models_folder
from bot.engine.sampling.limits import LIMITS, STEPS, problems
from bot.engine.sampling.presets import as_fields
from bot.engine.strategy.grammar import StrategyError, is_auto, parse_strategy
from bot.engine.types import Sampling
from bot.errors import UserError
from bot.messages import Role
from moderation.policy import DEFAULT_EXCEPTIONS, DEFAULT_LEVEL

FILE_NAME = "config.yaml"
PROJECT = Path(__file__).parents[2]

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
Record = Literal[False, True, "names"]


ORIGIN = r"^[a-z][a-z0-9+.-]*://[^\s/]+$"
PLATFORM = r"^[a-z0-9_]{0,40}$"
Origin = Annotated[str, StringConstraints(pattern=ORIGIN)]
PlatformName = Annotated[str, StringConstraints(pattern=PLATFORM)]
PresetName = Literal["", "douyin_barrage_grab", "douyin_live", "dycast", "laplace", "social_stream_ninja", "blivechat"]


class WebsocketServerSettings(Section):
    """`preset` or `mapping`: what peers speak, if not our own frames. `replies`: they are told what was aired."""

    enabled: bool = True
    host: Host = "127.0.0.1"
    port: Port = 57861
    preset: PresetName = ""
    mapping: dict[str, Any] = {}
    platform: PlatformName = ""
    origins: Annotated[tuple[Origin, ...], Field(strict=False)] = ()
    connections: Annotated[int, Field(ge=1, le=1000)] = 20
    rate: Annotated[int, Field(ge=1, le=100_000)] = 2000
    replies: bool = False
    record: Record = False

    def in_use(self) -> tuple[bool, str]:
        """And its name where nothing else gives it one."""
        return self.enabled, "websocket"


class WebsocketClientSettings(Section):
    """`token` goes into the header; a bridge that wants it in the address has it in `url`."""

    url: Annotated[str, StringConstraints(pattern=r"^(wss?://\S+)?$")] = ""
    token: SecretStr = SecretStr("")
    preset: PresetName = ""
    mapping: dict[str, Any] = {}
    platform: PlatformName = ""
    record: Record = False

    def in_use(self) -> tuple[bool, str]:
        """And its name where nothing else gives it one."""
        return bool(self.url), "websocket_client"


class Websocket(Section):
    server: WebsocketServerSettings = WebsocketServerSettings()
    client: WebsocketClientSettings = WebsocketClientSettings()
    clients: Annotated[tuple[WebsocketClientSettings, ...], Field(strict=False)] = ()

    def platforms(self) -> dict[str, WebsocketServerSettings | WebsocketClientSettings]:
        """Those that are in use, each by the name of its platform; the second of a name is `name_2`."""
        every: tuple[WebsocketServerSettings | WebsocketClientSettings, ...] = (self.server, self.client, *self.clients)
        found: dict[str, WebsocketServerSettings | WebsocketClientSettings] = {}
        for one in every:
            in_use, default = one.in_use()
            if in_use:
                name = one.platform or platform_of(one.preset, default)
                names = [name, *(f"{name}_{number}" for number in range(2, len(every) + 1))]
                found[next(each for each in names if each not in found)] = one
        return found


class OpenLiveKeys(Section):
    """The streamer's identity code and the developer's app. `app_id` 0: none."""

    code: SecretStr = SecretStr("")
    app_id: Annotated[int, Field(ge=0)] = 0
    access_key_id: SecretStr = SecretStr("")
    access_key_secret: SecretStr = SecretStr("")


class Bilibili(Section):
    """`open_live` goes before `room_id`; `transport` and the account are about the latter. `post`: whether approved words
    go to the chat as well, with the account of `sessdata` and `bili_jct`, `post_length` characters at a time."""

    open_live: OpenLiveKeys = OpenLiveKeys()
    room_id: Annotated[int, Field(ge=1)] | None = None
    transport: Literal["auto", "builtin", "blivedm"] = "auto"
    sessdata: SecretStr = SecretStr("")
    user_agent: Annotated[str, StringConstraints(pattern=r"^[\x20-\x7e]{0,500}$")] = ""
    post: bool = False
    post_length: Annotated[int, Field(ge=5, le=100)] = 20
    bili_jct: SecretStr = SecretStr("")
    record: Record = False

    def keys(self) -> Keys | None:
        """None: a room is heard as the web pages see it."""
        keys = self.open_live
        if not keys.code.get_secret_value():
            return None
        return Keys(
            keys.access_key_id.get_secret_value(),
            keys.access_key_secret.get_secret_value(),
            keys.app_id,
            keys.code.get_secret_value(),
        )


class Twitch(Section):
    """`post`: whether approved words go to the chat as well, with the account of `token`."""

    channel: str = ""
    shared_chat: Literal["mark", "drop"] = "mark"
    post: bool = False
    token: SecretStr = SecretStr("")
    record: Record = False


class YouTube(Section):
    """`daily_quota` in YouTube's units, 0: not counted; `hours`: how long they have to last."""

    video: str = ""
    live_chat_id: str = ""
    api_key: SecretStr = SecretStr("")
    daily_quota: Annotated[int, Field(ge=0, le=10**9)] = 10_000
    hours: Annotated[float, Field(gt=0, le=24)] = 4.0
    record: Record = False


class Adapters(Section):
    """One section a platform. A section of another name belongs to the installed adapter of that name, as it stands."""

    model_config = ConfigDict(extra="allow")

    websocket: Websocket = Websocket()
    bilibili: Bilibili = Bilibili()
    twitch: Twitch = Twitch()
    youtube: YouTube = YouTube()

    def others(self) -> dict[str, dict[str, Any]]:
        """Settings of adapters that other packages bring, by name; `record` is ours, not theirs."""
        sections = {name: dict(settings or {}) for name, settings in (self.model_extra or {}).items()}
        return {
            name: {key: settings[key] for key in settings if key != "record"} for name, settings in sections.items()
        }

    def recorded(self) -> dict[str, Record]:
        """Which adapters are recorded and how, by the adapter's name."""
        websockets = {name: one.record for name, one in self.websocket.platforms().items()}
        known = {"bilibili": self.bilibili.record, **websockets}
        known |= {"twitch": self.twitch.record, "youtube": self.youtube.record}
        others = {name: (settings or {}).get("record", False) for name, settings in (self.model_extra or {}).items()}
        return {name: record for name, record in {**known, **others}.items() if record}


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
    mistakes = [*tree.mistakes(speak), *_type_mistakes(tree, speak), *_beyond_types(tree, speak)]
    mistakes += _sampling(tree, _settings(tree, mistakes, file), speak)
    config = _settings(tree, mistakes, file)
    if mistakes := [*mistakes, *_missing_model(tree, config, speak), *_state_files(tree, config, speak)]:
        raise ConfigError(mistakes, _settings(tree, mistakes, file))
    return config


def _settings(tree: Tree, mistakes: list[Mistake], file: Path | None) -> Config:
    """All that is no mistake; the rest stays at its defaults."""
    config = Config.model_validate(_without(tree.values, [mistake.path for mistake in mistakes]))
    config._file = file
    config._folder = file.absolute().parent if file else Path.cwd()
    return config


def _missing_model(tree: Tree, config: Config, lang: str) -> Iterator[Mistake]:
    """Said before the panel opens: the engine, in its own process, would find out later."""
    if config.model_path is not None and not config.engine.remote.urls and not config.model_path.is_file():
        yield tree.mistake(lang, ("model",), say(lang, "no_model", file=config.model_path))


def _state_files(tree: Tree, config: Config, lang: str) -> Iterator[Mistake]:
    """Save/ is shared and belongs to the store alone; states hold what viewers wrote."""
    if config.tuned_path is not None and not config.engine.remote.urls and not config.tuned_path.is_file():
        yield tree.mistake(lang, ("engine", "state"), say(lang, "no_state", file=config.tuned_path))
    if config.states_folder is not None and config.states_folder.is_relative_to(config.save_folder):
        yield tree.mistake(lang, ("engine", "states", "folder"), say(lang, "states_in_save", save=config.save_folder))


def _type_mistakes(tree: Tree, lang: str) -> Iterator[Mistake]:
    """Unknown keys, wrong types, numbers out of range. A variable that is not set has been reported already."""
    unset = {key for key, _, code, _ in tree.problems if code == "no_variable"}
    try:
        Config.model_validate(tree.values)
    except ValidationError as error:
        for detail in error.errors():
            if detail["loc"] not in unset:
                yield _mistake(tree, dict(detail), lang)


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


def _mistake(tree: Tree, detail: Mapping[str, Any], lang: str) -> Mistake:
    """One of pydantic's errors in our words."""
    key = tuple(detail["loc"])
    kind = str(detail["type"])
    if kind == "extra_forbidden":
        return tree.mistake(lang, key, say(lang, "unknown", near=_near(key, lang)))
    what = _wanted(kind, detail.get("ctx", {}), lang)
    secret = key[-1] in ("api_key", "token")
    value = "***" if secret else tree.shown(key, detail["input"]) if detail["input"] is not None else "null"
    return tree.mistake(lang, key, say(lang, "wrong", what=what, value=value, hint=_hint(key, kind, lang)))


_SHAPES = {ORIGIN: "origin", PLATFORM: "name", NAME: "one_word"}


def _wanted(kind: str, limits: Mapping[str, Any], lang: str) -> str:
    """What the value should be, from the type of pydantic's error."""
    match kind:
        case "int_type" | "int_parsing" | "int_from_float":
            return say(lang, "int")
        case "bool_type":
            return say(lang, "bool")
        case "string_type":
            return say(lang, "str")
        case "float_type":
            return say(lang, "float")
        case "finite_number":
            return say(lang, "finite")
        case "tuple_type":
            return say(lang, "list")
        case "literal_error":
            return say(lang, "choice", choices=str(limits["expected"]).replace(" or ", ", ").replace("'", ""))
        case "greater_than_equal":
            return say(lang, "at_least", least=_short(limits["ge"]), what=_number(limits["ge"], lang))
        case "less_than_equal":
            return say(lang, "at_most", most=_short(limits["le"]), what=_number(limits["le"], lang))
        case "greater_than":
            return say(lang, "above", least=_short(limits["gt"]), what=_number(limits["gt"], lang))
        case "string_too_short":
            return say(lang, "filled")
        case "string_too_long":
            return say(lang, "shorter", most=limits["max_length"])
        case "string_pattern_mismatch":
            return say(lang, _SHAPES.get(limits["pattern"], "web_url" if "http" in limits["pattern"] else "url"))
    return say(lang, "section")


def _short(number: float) -> str:
    return f"{number:g}"


def _number(limit: float, lang: str) -> str:
    return say(lang, "int" if isinstance(limit, int) else "float")


def _hint(key: tuple[str | int, ...], kind: str, lang: str) -> str:
    """What to write: the key's own hint, or its section's, or one for the type."""
    names = [str(part) for part in key if isinstance(part, str)]
    for length in range(len(names), 0, -1):
        if knows(".".join(names[:length])):
            return say(lang, ".".join(names[:length]))
    default = _default(names)
    if kind == "literal_error":
        return say(lang, "write_choice")
    if kind == "tuple_type":
        return say(lang, "write_list")
    if isinstance(default, BaseModel) or kind in ("model_type", "model_attributes_type", "dict_type"):
        return say(lang, "write_section")
    if default is None:
        return say(lang, "write_nothing")
    return say(lang, "write_default", default=yaml_text(default))


def yaml_text(value: object) -> str:
    """A default as one writes it in the file."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _short(value)
    return f'"{value}"' if isinstance(value, str) else str(value)


def _default(names: list[str]) -> object:
    value: object = Config()
    for name in names:
        value = getattr(value, name, None)
    return value


def _near(key: tuple[str | int, ...], lang: str) -> str:
    """The known key that was probably meant: alike in the same section, of the same name elsewhere, or alike anywhere."""
    *section, name = [str(part) for part in key]
    known = setting_names()
    if name in known:
        section_name, _, last = name.rpartition(".")
        return say(lang, "two_lines", section=section_name, name=last)
    depth = len(section)
    beside = [each.split(".")[depth] for each in known if each.split(".")[:depth] == section]
    alike = get_close_matches(name, beside, n=1, cutoff=0.6)
    if alike:
        return say(lang, "near", key=".".join([*section, alike[0]]))
    last_names = {each.rpartition(".")[2]: each for each in reversed(known)}
    close = [last_names[each] for each in get_close_matches(name, last_names, n=1, cutoff=0.6)]
    return say(lang, "near", key=close[0]) if close else say(lang, "not_near")


def setting_names(section: BaseModel | None = None, before: str = "") -> list[str]:
    """Every setting as a dotted key, in the order of the file."""
    names: list[str] = []
    for name, value in section or Config():
        names += setting_names(value, f"{before}{name}.") if isinstance(value, BaseModel) else [before + name]
    return names


def _beyond_types(tree: Tree, lang: str) -> Iterator[Mistake]:
    """Rules over several keys."""
    yield from _scenario_form(tree, lang)
    yield from _mappings(tree, lang)
    yield from chat_mistakes(tree, lang)
    yield from policy_mistakes(tree, lang)
    yield from service_mistakes(tree, lang)
    yield from _strategy(tree, lang)
    yield from _screen_times(tree, lang)
    sections = tree.get("adapters")
    for name in sections if isinstance(sections, dict) else ():
        if name not in Adapters.model_fields:
            yield from _other_adapter(tree, name, lang)


def _mappings(tree: Tree, lang: str) -> Iterator[Mistake]:
    """Mappings that a user wrote, in each of the websockets' sections."""
    section: Key = ("adapters", "websocket")
    clients = tree.get("adapters.websocket.clients")
    several = [((*section, "clients", n), one) for n, one in enumerate(clients)] if isinstance(clients, list) else []
    single = [((*section, name), tree.get(f"adapters.websocket.{name}")) for name in ("server", "client")]
    for key, values in (*single, *several):
        if isinstance(values, dict) and values.get("mapping"):
            for problem in mapping_problems(values["mapping"]):
                yield tree.mistake(lang, (*key, "mapping", *problem.key), problem.text(lang))
            if values.get("preset"):
                yield tree.mistake(lang, (*key, "preset"), say(lang, "preset_and_mapping"))


def _scenario_form(tree: Tree, lang: str) -> Iterator[Mistake]:
    """A name, not a path: it must not lead out of the save folder."""
    scenario = tree.get("scenario")
    if isinstance(scenario, str) and scenario:
        names = scenario.split("/")
        if len(names) != 2 or any(name.strip(". ") == "" or "\\" in name for name in names):
            value = tree.shown(("scenario",), scenario)
            yield tree.mistake(lang, ("scenario",), say(lang, "scenario_form", value=value))


def _strategy(tree: Tree, lang: str) -> Iterator[Mistake]:
    """Its grammar; whether it fits the model and the machine is seen by those who know them."""
    strategy = tree.get("strategy")
    if isinstance(strategy, str) and not is_auto(strategy):
        try:
            parse_strategy(strategy)
        except StrategyError as error:
            yield tree.mistake(lang, ("strategy",), str(error))


def _screen_times(tree: Tree, lang: str) -> Iterator[Mistake]:
    least, most = tree.get("overlay.min_seconds"), tree.get("overlay.max_seconds")
    least = OverlaySettings().min_seconds if least is None else least
    most = OverlaySettings().max_seconds if most is None else most
    if not (isinstance(least, int | float) and isinstance(most, int | float) and least > most):
        return
    if tree.get("overlay.max_seconds") is not None:
        name, value, what = "max_seconds", most, say(lang, "not_below", least=_short(least))
    else:
        name, value, what = "min_seconds", least, say(lang, "not_above", most=_short(most))
    hint = _hint(("overlay", name), "", lang)
    yield tree.mistake(lang, ("overlay", name), say(lang, "wrong", what=what, value=_short(value), hint=hint))


def _sampling(tree: Tree, config: Config, lang: str) -> Iterator[Mistake]:
    """Settings that contradict each other, and lists whose entries make no sense; a preset's over the rest."""
    base = config.sampling.model_dump(exclude={"presets"}) | {"max_tokens": config.drafts.max_tokens}
    wrong: set[str] = set()
    for name, *said in problems(as_fields(base)):
        wrong.add(name)
        yield tree.mistake(lang, ("sampling", name), said[lang == "en"])
    base |= {name: getattr(SamplingSettings(), name) for name in wrong}
    for preset, values in config.sampling.own_presets.items():
        for name, *said in problems(as_fields(base | values)):
            key: Key = ("sampling", "presets", preset, name)
            yield tree.mistake(lang, key if name in values else key[:-1], f"{name}：{said[lang == 'en']}")


def _other_adapter(tree: Tree, name: str, lang: str) -> Iterator[Mistake]:
    """A section that is none of ours needs an installed package that brings an adapter of that name."""
    key = ("adapters", name)
    if name not in entry_points(group="cohost.adapters").names:
        near = get_close_matches(name, list(Adapters.model_fields), n=1, cutoff=0.6)
        if near:
            yield tree.mistake(lang, key, say(lang, "unknown", near=say(lang, "near", key=f"adapters.{near[0]}")))
        else:
            yield tree.mistake(lang, key, say(lang, "not_adapter", name=name))
    elif not isinstance(tree.get(f"adapters.{name}"), dict | None):
        what, hint = say(lang, "section"), say(lang, "write_section")
        value = tree.shown(key, tree.get(f"adapters.{name}"))
        yield tree.mistake(lang, key, say(lang, "wrong", what=what, value=value, hint=hint))
    elif tree.get(f"adapters.{name}.record") not in (None, *get_args(Record)):
        what, hint = say(lang, "choice", choices="false, true, names"), say(lang, "write_choice")
        value = tree.shown((*key, "record"), tree.get(f"adapters.{name}.record"))
        yield tree.mistake(lang, (*key, "record"), say(lang, "wrong", what=what, value=value, hint=hint))
