"""What we use of `blivedm` 1.1, and nothing behind it: each client lives one life that a test has written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar


class Dropped(Exception):
    """In a life: the connection is lost, and the library would call again."""


class InitError(Exception):
    """In a life: the library gives up."""


class BLiveClient:
    lives: ClassVar[list[list[Any]]] = []  # commands, and how it ends; without an end it stays
    made: ClassVar[list[BLiveClient]] = []
    uid: int | None = 0

    def __init__(
        self, room_id: int, *, uid: int | None = None, session: Any = None, heartbeat_interval: float = 30
    ) -> None:
        self.room_id = room_id
        self.session = session
        self.closed = False
        self._task: asyncio.Task[None] | None = None
        BLiveClient.made.append(self)

    def set_handler(self, handler: Any) -> None:
        self._handler = handler

    def set_reconnect_policy(self, policy: Callable[[int, int], float]) -> None:
        self._policy = policy

    @property
    def is_running(self) -> bool:
        return self._task is not None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="blivedm stub")

    async def _run(self) -> None:
        failure: Exception | None = None
        try:
            await self._live(self.lives.pop(0) if self.lives else [])
        except asyncio.CancelledError:
            pass
        except Exception as error:
            failure = error
        self._task = None
        self._handler.on_client_stopped(self, failure)

    async def _live(self, life: list[Any]) -> None:
        for step in life:
            await asyncio.sleep(0)
            if isinstance(step, Dropped):
                await asyncio.sleep(self._policy(1, 1))
            elif isinstance(step, Exception):
                raise step
            else:
                self._handler.handle(self, step)
        await asyncio.Event().wait()

    async def stop_and_close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.shield(self._task)
        self.closed = True


def module(version: str | None = "1.1.7") -> ModuleType:
    """A module `blivedm`; None: the upload on PyPI, 0.1.1, with its own names."""
    made = ModuleType("blivedm")
    if version is None:

        class Old:
            def __init__(self, room_id: int, uid: int = 0, session: Any = None, ssl: bool = True) -> None:
                raise AssertionError("must not be used")

            def add_handler(self, handler: Any) -> None: ...

        made.BLiveClient = Old  # type: ignore[attr-defined]
        return made
    made.__version__ = version  # type: ignore[attr-defined]
    made.BLiveClient = BLiveClient  # type: ignore[attr-defined]
    BLiveClient.lives, BLiveClient.made, BLiveClient.uid = [], [], 0
    return made
