"""The section `adapters` of config.yaml: which platforms are listened to, and how."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, SecretStr, StringConstraints

from adapters.bilibili.open_live import Keys
from adapters.bridges.reading import platform_of
from bot.config.sections import Host, Port, Section

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
    mapping: dict[str, Any] = Field(default_factory=dict)
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
    mapping: dict[str, Any] = Field(default_factory=dict)
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
