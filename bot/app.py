"""The only file that knows every part: builds them from the settings and runs them in one TaskGroup."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from websockets.asyncio.connection import broadcast

import adapters
from adapters.base import Adapter, AdapterState, state_of
from adapters.bilibili import USER_AGENT, BilibiliAdapter
from adapters.replay import Replay
from adapters.twitch.chat import TwitchAdapter
from adapters.websocket import WebsocketClient, WebsocketServer
from adapters.youtube.chat import YouTubeAdapter
from bot.backstage import Backstage
from bot.config import Config, WebsocketClientSettings, WebsocketServerSettings
from bot.desk.desk import Desk
from bot.engine.process import LocalEngine
from bot.engine.remote import Form, RemoteEngine, Waits
from bot.engine.sampling.presets import BUILT_IN
from bot.engine.states.keeping import MEBIBYTE, Keeping
from bot.engine.types import Engine, EngineState, EngineStatus
from bot.errors import UserError
from bot.feed import Feed
from bot.intake import Intake, WaitClass
from bot.outlets import Outlet, Overlay, Peers
from bot.posting.bilibili import REPEAT_SECONDS, BilibiliPoster, Cookies
from bot.posting.outlet import ChatOutlet
from bot.posting.twitch import TwitchPoster
from bot.save import Save
from bot.show import Show
from bot.staging import Staging
from bot.voices import Voices
from bot.web.server import create_app, serve
from bot.web.stories import Stories
from bot.web.tokens import Tokens, load_tokens
from moderation import Direction, WatchedWords
from moderation.http_service import HttpService
from moderation.providers import Providers

DEMO = Path(__file__).parent / "engine" / "demo"
DEMO_MODEL = DEMO / "model.safetensors"

log = logging.getLogger(__name__)


class RunningEngine(Engine, Protocol):
    """An engine that has work of its own to do while drafts are wanted."""

    async def run(self) -> None: ...


MakeEngine = Callable[[Config, Callable[[EngineStatus], None]], RunningEngine]


def run_show(config: Config) -> None:
    """The show, until Ctrl-C or SIGTERM. Raises UserError with one clear line where something has to be mended."""
    _start_logging(config.log.level)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_until_told_to_stop(config))


async def _until_told_to_stop(config: Config) -> None:
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError):  # Windows has no signal handlers in the loop
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await run(config, load_tokens(), print)


async def run(
    config: Config, tokens: Tokens, announce: Callable[[str], object], make_engine: MakeEngine | None = None
) -> None:
    """Run until cancelled. `announce` gets the lines for the person who started it, tokens among them."""
    with contextlib.closing(Save(config.save_folder)) as save, _as_user_errors():
        show: Show
        desk: Desk
        worked = asyncio.Event()

        def engine_changed(status: EngineStatus) -> None:
            if status.state is EngineState.READY:
                worked.set()
            show.engine_changed()
            desk.engine_changed()

        engine = (make_engine or build_engine)(config, engine_changed)
        feed, overlay_feed = Feed(), Feed()
        words = WatchedWords((*config.word_files, save.own_words_file), force=config.moderation.force)
        services = build_services(config)
        backstage = Backstage(config, save, words, services)
        staging = backstage.first()
        avatars = dict(staging.avatars)
        overlay = Overlay(overlay_feed, config.overlay.label, time.time, avatars)
        platforms = build_adapters(config, tokens)
        outlets = (overlay, *build_outlets(config, platforms, lambda text: show.objection(text)))

        def scenario_changed(staging: Staging) -> None:
            avatars.clear()
            avatars.update(staging.avatars)

        show = build_show(config, backstage, staging, engine, outlets, feed, scenario_changed)
        desk = Desk(save, engine, voices=desk_voices(config), clock=time.time, running=staging.scenario)
        app = create_app(
            show,
            feed,
            overlay_feed,
            overlay.now_showing,
            desk=desk,
            operator_token=tokens.operator,
            overlay_token=tokens.overlay,
            host=config.web.host,
            names=config.web.names,
            lang=config.lang,
            avatars=avatars,
            ledger=save.ledger,
            library=save.library,
            stories=Stories(save, staging.scenario),
            presets={**BUILT_IN, **config.sampling.own_presets},
        )
        async with (
            contextlib.aclosing(services) if services else contextlib.nullcontext(),
            serve(app, config.web.host, config.web.port) as port,
            asyncio.TaskGroup() as tasks,
        ):
            for platform in platforms:
                if isinstance(platform, WebsocketServer):
                    await platform.start()
            tasks.create_task(show.run())
            tasks.create_task(desk.run())
            tasks.create_task(run_engine(engine, worked))
            tasks.create_task(words.run(lambda: show.words_changed(words.problem)))
            for outlet in outlets:
                if isinstance(outlet, ChatOutlet):
                    tasks.create_task(outlet.run())
            for platform in platforms:
                tasks.create_task(listen(show, platform, save, config))
            for line in greeting(config, tokens, port, platforms):
                announce(line)


async def run_engine(engine: RunningEngine, worked: asyncio.Event) -> None:
    """A model that never loads ends the program; one that fails later leaves the panel up to say so."""
    await engine.run()
    if not worked.is_set():
        raise UserError(engine.status.detail)


def build_engine(config: Config, on_status: Callable[[EngineStatus], None]) -> RunningEngine:
    """On the servers that the settings name, else in a process on this machine."""
    remote = config.engine.remote
    if remote.urls:
        return RemoteEngine(
            remote.urls,
            model=remote.model,
            api_key=remote.api_key.get_secret_value(),
            form=None if remote.form == "auto" else Form(remote.form),
            waits=Waits(remote.connect_timeout, remote.first_timeout, remote.silence_timeout),
            max_in_flight=remote.max_in_flight,
            proxy=remote.proxy,
            on_status=on_status,
        )
    return LocalEngine(
        config.model_path or DEMO_MODEL,
        config.strategy,
        on_status=on_status,
        keeping=Keeping(
            memory=config.engine.states.memory_limit * MEBIBYTE,
            disk=config.engine.states.disk_limit * MEBIBYTE,
            folder=config.states_folder,
        ),
        tuned=config.tuned_path,
    )


def build_outlets(config: Config, platforms: Sequence[Adapter], objection: Callable[[str], str]) -> list[Outlet]:
    """Where approved words go besides the overlay, as far as the settings say so. `objection`: why a piece of a reply
    may not stand alone."""
    found: list[Outlet] = []
    if config.adapters.websocket.server.replies:
        found += [peers(server) for server in platforms if isinstance(server, WebsocketServer)]
    if config.adapters.twitch.post:
        found += [twitch_posting(config, chat, objection) for chat in platforms if isinstance(chat, TwitchAdapter)]
    if config.adapters.bilibili.post:
        found += [bilibili_posting(config, room, objection) for room in platforms if isinstance(room, BilibiliAdapter)]
    return found


def twitch_posting(config: Config, chat: TwitchAdapter, objection: Callable[[str], str]) -> ChatOutlet:
    """Says on the adapter's part of the panel what did not arrive, and tells it what will come back."""
    token = config.adapters.twitch.token.get_secret_value()
    poster = TwitchPoster(chat.channel, token, chat.echoes, time.monotonic, lang=config.lang)
    return ChatOutlet("twitch", poster, chat.state, chat.echoes, time.time, check=objection, lang=config.lang)


def bilibili_posting(config: Config, room: BilibiliAdapter, objection: Callable[[str], str]) -> ChatOutlet:
    settings = config.adapters.bilibili
    assert settings.room_id is not None, "the settings are checked for it"
    poster = BilibiliPoster(
        settings.room_id,
        Cookies(settings.sessdata.get_secret_value(), settings.bili_jct.get_secret_value()),
        room.echoes,
        time.monotonic,
        limit=settings.post_length,
        user_agent=settings.user_agent or USER_AGENT,
        lang=config.lang,
    )
    return ChatOutlet(
        "bilibili",
        poster,
        room.state,
        room.echoes,
        time.time,
        check=objection,
        repeat=REPEAT_SECONDS,
        lang=config.lang,
    )


def peers(server: WebsocketServer) -> Peers:
    """An adapter has no way to send, so its connections are written to from here."""
    return Peers(lambda text: broadcast(server.peers, text), server.name, time.time)


def build_show(
    config: Config,
    backstage: Backstage,
    first: Staging,
    engine: Engine,
    outlets: Sequence[Outlet],
    feed: Feed,
    scenario_changed: Callable[[Staging], None],
) -> Show:
    return Show(
        scenario=first.scenario,
        engine=engine,
        intake=Intake(
            limit=config.intake.limit,
            cooldown=config.intake.cooldown,
            expiry={WaitClass(name): seconds for name, seconds in config.intake.expire.by_class().items()},
            names=(first.scenario.speaker,),
        ),
        checks=first.checks,
        save=backstage.save,
        outlets=outlets,
        feed=feed,
        rules=first.rules,
        clock=time.time,
        lists=backstage.words,
        services=backstage.services,
        stage=backstage,
        on_change=scenario_changed,
    )


def build_services(config: Config) -> Providers | None:
    """The user's own services. None: there are none, and nothing waits for an answer."""
    chosen = config.moderation.services
    ways = {"both": tuple(Direction), "messages": (Direction.IN,), "replies": (Direction.OUT,)}
    services = [
        HttpService(
            one.name,
            one.url,
            seconds=one.timeout,
            api_key=one.api_key.get_secret_value(),
            directions=ways[one.direction],
        )
        for one in chosen
    ]
    return Providers(services, seconds=max(one.timeout for one in chosen)) if chosen else None


def desk_voices(config: Config) -> Voices:
    return Voices(config.base_sampling, config.sampling.own_presets)


def build_adapters(config: Config, tokens: Tokens) -> list[Adapter]:
    """Every source of messages that the settings name."""
    found: list[Adapter] = []
    for name, websocket in config.adapters.websocket.platforms().items():
        found.append(build_websocket(name, websocket, tokens, config.lang))
    if config.replay_path is not None:
        found.append(Replay(config.replay_path, config.replay_speed, lang=config.lang))
    found += build_chats(config)
    for name, settings in config.adapters.others().items():
        found.append(adapters.make(name, settings, config.lang))
    return found


def build_websocket(
    name: str, settings: WebsocketServerSettings | WebsocketClientSettings, tokens: Tokens, lang: str
) -> WebsocketServer | WebsocketClient:
    preset, mapping = settings.preset, settings.mapping
    if isinstance(settings, WebsocketClientSettings):
        token = settings.token.get_secret_value()
        return WebsocketClient(settings.url, name=name, token=token, preset=preset, mapping=mapping, lang=lang)
    return WebsocketServer(
        settings.host,
        settings.port,
        tokens.chat,
        name=name,
        preset=preset,
        mapping=mapping,
        origins=settings.origins,
        connections=settings.connections,
        rate=settings.rate,
        lang=lang,
    )


def build_chats(config: Config) -> Iterator[Adapter]:
    """Bilibili, Twitch and YouTube, where they are named."""
    bilibili, twitch, youtube = config.adapters.bilibili, config.adapters.twitch, config.adapters.youtube
    if bilibili.room_id is not None or bilibili.keys() is not None:
        yield BilibiliAdapter(
            bilibili.room_id,
            transport=bilibili.transport,
            open_live=bilibili.keys(),
            sessdata=bilibili.sessdata.get_secret_value(),
            user_agent=bilibili.user_agent or USER_AGENT,
            lang=config.lang,
        )
    if twitch.channel:
        yield TwitchAdapter(twitch.channel, shared_chat=twitch.shared_chat, lang=config.lang)
    if youtube.video or youtube.live_chat_id:
        yield YouTubeAdapter(
            youtube.video,
            youtube.api_key.get_secret_value(),
            live_chat_id=youtube.live_chat_id,
            daily_quota=youtube.daily_quota,
            hours=youtube.hours,
            lang=config.lang,
        )


async def listen(show: Show, platform: Adapter, save: Save, config: Config) -> None:
    """Hears a platform, and records it where the settings say so."""
    record = config.adapters.recorded().get(platform.name)
    if not record:
        return await show.listen(platform)
    state = state_of(platform) or AdapterState()

    def trouble(text: str) -> None:
        if text:
            log.warning("%s", text)
            state.note("record", text, time.time())
        else:
            state.unnote("record")

    with contextlib.closing(save.recorder(platform.name, time.time, trouble, names=record == "names")) as recorder:
        await show.listen(platform, recorder.write)


@dataclass(frozen=True, slots=True)
class _Words:
    panel: str
    token: str
    overlay: str
    chat: str
    stop: str


_GREETING = {
    "zh": _Words("场控面板", "场控令牌", "悬浮窗（OBS 浏览器源）", "弹幕接口", "按 Ctrl-C 结束"),
    "en": _Words("Panel", "Operator's token", "Overlay (OBS browser source)", "Chat interface", "Press Ctrl-C to end"),
}


def greeting(config: Config, tokens: Tokens, port: int, platforms: Sequence[Adapter]) -> Iterator[str]:
    """What the person who starts the program needs: full addresses and the token to sign in with."""
    words = _GREETING[config.lang]
    hosts = _addresses(config.web.host)
    yield ""
    for host in hosts:
        yield f"  {words.panel}: http://{host}:{port}/"
    yield f"  {words.token}: {tokens.operator}"
    yield f"  {words.overlay}: http://{hosts[0]}:{port}/overlay?token={tokens.overlay}"
    for platform in platforms:
        if isinstance(platform, WebsocketServer):
            host = config.adapters.websocket.server.host
            yield f"  {words.chat}: ws://{_bracketed(host)}:{platform.port}/chat?token={tokens.chat}"
    yield f"  {words.stop}"
    yield ""


def _addresses(host: str) -> list[str]:
    """What to type into a browser: this machine first, then, when all interfaces listen, the LAN's address."""
    if host not in ("0.0.0.0", "::", ""):
        return [_bracketed(host)]
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing: only asks which interface would be used
        lan = probe.getsockname()[0]
        return ["127.0.0.1", lan] if lan != "127.0.0.1" else ["127.0.0.1"]
    return ["127.0.0.1"]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _start_logging(level: str) -> None:
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")


@contextlib.contextmanager
def _as_user_errors() -> Iterator[None]:
    """A mistake of the user's that surfaces in a task is still one clear line."""
    try:
        yield
    except BaseExceptionGroup as group:
        mistakes = group.subgroup(UserError)
        if mistakes is None:
            raise
        raise UserError("\n".join(str(mistake) for mistake in _leaves(mistakes))) from group


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
