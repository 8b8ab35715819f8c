"""One room, whatever brings its commands: they become messages, and what the streamer should know goes to the panel."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from typing import Protocol, Unpack

from adapters.bilibili.normaliser import Normaliser
from adapters.bilibili.reading import PLATFORM, Reading, Reason, Told
from adapters.bilibili.texts import say
from adapters.supervisor import NOTICE_SECONDS, Core, Supervised
from bot.messages import Message

HEARTBEAT = 30.0  # seconds between two of ours; the server cuts after about 60 without one
UNKNOWN_NAMES = 200  # how many names of unknown commands are counted

log = logging.getLogger(__name__)


class Transport(Protocol):
    """Brings one room's commands to `room.receive`, for one connection; ends as `Supervised.connection` may end."""

    async def live(self, room: Room) -> None: ...


class Room(Supervised):
    """`unknown` counts commands that we do not know, by name: Bilibili invents new ones every month."""

    silence = 2 * HEARTBEAT + 10

    def __init__(self, transport: Transport, **core: Unpack[Core]) -> None:
        super().__init__(PLATFORM, **core)
        self.unknown: Counter[str] = Counter()
        self._transport = transport
        self._normaliser = Normaliser()
        self._ahead = 0.0  # of the loop's clock, which never falls, to the one in seconds since 1970
        self._waking: asyncio.TimerHandle | None = None

    async def connection(self) -> None:
        self._ahead = self.clock() - asyncio.get_running_loop().time()
        try:
            await self._transport.live(self)
        finally:
            self._sleep_on()
            for event in self._normaliser.rest():
                self.take(event)

    def belongs_to(self, owner: str) -> None:
        """Who streams here: their own lines and medals are known by it."""
        self._normaliser.owner = owner

    def receive(self, command: object) -> Reading:
        """One raw command. Never waits, never raises."""
        reading = self._normaliser.read(command, self._now())
        for event in reading.events:
            self.take(event)
        if reading.told is not None:
            self._tell(reading.told, reading.detail)
        elif reading.reason in (Reason.BROKEN, Reason.NO_COMMAND):
            self.state.bad += 1
        elif reading.reason is Reason.UNKNOWN and (len(self.unknown) < UNKNOWN_NAMES or reading.detail in self.unknown):
            self.unknown[reading.detail] += 1
            if self.unknown[reading.detail] == 1:
                log.debug("%s: unknown command %r", self.name, reading.detail)
        if self._waking is None and self._normaliser.next_due is not None:
            self._wait_for(self._normaliser.next_due)
        return reading

    def on_air(self, live: bool) -> None:
        if live:
            self.withdraw_notice("offline")
            self.withdraw_notice("cut_off")
        else:
            self.notice("offline", say(self.lang, "offline"))

    def _tell(self, told: Told, detail: str) -> None:
        match told:
            case Told.LIVE | Told.OFFLINE:
                self.on_air(told is Told.LIVE)
            case Told.NOT_LOGGED_IN:
                self.notice("login", say(self.lang, "not_logged_in"))
            case Told.WARNING:
                self.notice("warning", say(self.lang, "warning", detail=detail), NOTICE_SECONDS)
            case Told.CUT_OFF:
                self.notice("cut_off", say(self.lang, "cut_off", detail=detail))

    def _now(self) -> float:
        """Seconds since 1970; never falls within a connection."""
        return asyncio.get_running_loop().time() + self._ahead

    def _wait_for(self, moment: float) -> None:
        self._waking = asyncio.get_running_loop().call_at(moment - self._ahead, self._wake)

    def _wake(self) -> None:
        """What had to be merged is complete."""
        self._waking = None
        for event in self._normaliser.due(self._now() + 1e-3):  # the loop may wake us a hair early
            self.take(event)
        if self._normaliser.next_due is not None:
            self._wait_for(self._normaliser.next_due)

    def _sleep_on(self) -> None:
        if self._waking is not None:
            self._waking.cancel()
            self._waking = None


def masked(reading: Reading) -> bool:
    """Whether somebody wrote whom Bilibili does not name: a sign that we are not logged in."""
    return any(isinstance(e, Message) and e.viewer.id[:5] in ("", "anon:") for e in reading.events)
