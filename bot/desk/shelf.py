"""The scenes that are open: read from the record when somebody wants one, and put away when too many are open."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator

from bot.desk.scene import Clock, Scene
from bot.errors import Refused
from bot.save.desk import DeskRecord

MOST_OPEN = 8  # scenes; the one that was wanted least recently gives way, if nobody has it on a screen
MOST_IN_USE = 32


class Shelf:
    """`opened` is told of every scene that comes onto it, `closed` of every one that goes."""

    def __init__(
        self, record: DeskRecord, clock: Clock, opened: Callable[[Scene], None], closed: Callable[[Scene], None]
    ) -> None:
        self._record = record
        self._clock = clock
        self._opened = opened
        self._closed = closed
        self._open: OrderedDict[str, Scene] = OrderedDict()

    def __iter__(self) -> Iterator[Scene]:
        return iter(list(self._open.values()))

    def get(self, id: str) -> Scene | None:
        """One that is open."""
        return self._open.get(id)

    def take(self, id: str) -> Scene:
        """Raises Refused where there is no such scene, or it is in the bin."""
        if (scene := self._open.get(id)) is None:
            row = self._record.scene(id)
            if row is None or row.binned is not None:
                raise Refused("not_found", "没有这一幕，可能在回收站里。 There is no such scene; it may be in the bin.")
            return self.put(Scene.load(self._record, self._clock, row))
        self._open.move_to_end(id)
        return scene

    def put(self, scene: Scene) -> Scene:
        self.make_room()
        self._open[scene.id] = scene
        self._opened(scene)
        return scene

    def drop(self, id: str) -> None:
        """Nothing happens where it is not open."""
        if (scene := self._open.pop(id, None)) is not None:
            self._closed(scene)

    def make_room(self) -> None:
        """For one more. Raises Refused."""
        idle = [id for id, scene in self._open.items() if not scene.in_use]
        for id in idle[: max(0, len(self._open) - MOST_OPEN + 1)]:
            self.drop(id)
        if len(self._open) >= MOST_IN_USE:
            raise Refused(
                "too_many_scenes",
                "打开的场景太多了，请先关掉几个页面。 Too many scenes are open: close some pages first.",
            )
