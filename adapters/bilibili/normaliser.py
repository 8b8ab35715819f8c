"""From Bilibili's raw commands to messages, each thing once. Remembers what has to be merged; no I/O, no clock.

Two things arrive in pieces. A gift that is clicked again and again becomes one message a row, three seconds after the
last click (ten after the first at most). And one guard purchase is told by up to three commands: the one that has no
number waits three seconds for one that has. So after `read`, `due` brings what has waited long enough.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from adapters.base import Seen
from adapters.bilibili import commands, open_commands
from adapters.bilibili.reading import Combo, Reading, Reason
from bot.messages import Event, Message

QUIET = 3.0  # seconds without a further click after which a row of gifts is over; also how long a guard waits
LONGEST = 10.0  # seconds after which a row is told even if it goes on
MOST_WAITING = 1000  # rows and guards that wait; the oldest is told early

WITHOUT_NUMBER = "GUARD_BUY"
WITH_NUMBER = frozenset({"USER_TOAST_MSG", "USER_TOAST_MSG_V2"})


@dataclass(slots=True)
class _Row:
    """A row of gifts, or a guard purchase, that is not told yet. Times by the caller's clock."""

    message: Message
    since: float
    due: float
    name: str = ""
    count: int = 0

    def goes_on(self, more: Combo, now: float) -> None:
        self.count += more.count
        price = (self.message.price or 0.0) + (more.message.price or 0.0)
        self.message = replace(self.message, text=f"{self.name} x{self.count}", price=round(price, 3) or None)
        self.due = min(now + QUIET, self.since + LONGEST)


class Normaliser:
    """One room. `owner` is the streamer's own id (uid, or open_id on Open Live), "" while it is not known."""

    def __init__(self, owner: str = "") -> None:
        self.owner = owner
        self._rows: dict[str, _Row] = {}  # the one that is there longest first
        self._gifts = Seen()
        self._purchases: dict[str, float] = {}  # told by a command with a number: when; the longest ago first

    def read(self, command: object, now: float) -> Reading:
        """What this command brings. `now` in seconds since 1970; while something waits it never falls."""
        raw = command.get("cmd") if isinstance(command, dict) else None
        if not isinstance(command, dict) or not isinstance(raw, str):
            return Reading(reason=Reason.NO_COMMAND)
        name = raw.partition(":")[0][:100]
        found = open_commands.read(command, name, now, self.owner) or commands.read(command, name, now, self.owner)
        match found:
            case None:
                return Reading(reason=Reason.UNKNOWN, detail=name)
            case Reading():
                return found
            case Combo():
                return self._given([found], now)
            case list():
                return self._given(found, now)
        if name == WITHOUT_NUMBER and isinstance(found, Message):
            return self._bought(found, now)
        if name in WITH_NUMBER and isinstance(found, Message):
            self._numbered(found, now)
        return Reading((found,))

    def due(self, now: float) -> list[Event]:
        """What has waited long enough, in the order in which it began."""
        over = [key for key, row in self._rows.items() if row.due <= now]
        return [self._rows.pop(key).message for key in over]

    def rest(self) -> list[Event]:
        """All that still waits: the connection is over."""
        rows, self._rows = self._rows, {}
        return [row.message for row in rows.values()]

    @property
    def next_due(self) -> float | None:
        """When `due` will bring something; None: nothing waits."""
        return min((row.due for row in self._rows.values()), default=None)

    def _given(self, gifts: Iterable[Combo], now: float) -> Reading:
        told: list[Event] = []
        new = False
        for one in gifts:
            if not self._gifts.first(one.tid, now):
                continue
            new = True
            if not one.key:
                told.append(one.message)
            elif one.key in self._rows:
                self._rows[one.key].goes_on(one, now)
            else:
                told += self._wait(one.key, _Row(one.message, now, now + QUIET, one.name, one.count))
        if told:
            return Reading(tuple(told))
        return Reading(reason=Reason.WAITS if new else Reason.SAID_TWICE)

    def _bought(self, guard: Message, now: float) -> Reading:
        key = _purchase(guard)
        if now - self._purchases.get(key, -LONGEST) < LONGEST:
            return Reading(reason=Reason.SAID_TWICE)
        early = self._wait(key, _Row(guard, now, now + QUIET))
        return Reading(tuple(early), reason=None if early else Reason.WAITS)

    def _numbered(self, guard: Message, now: float) -> None:
        key = _purchase(guard)
        self._rows.pop(key, None)
        self._purchases.pop(key, None)
        self._purchases[key] = now
        while len(self._purchases) > MOST_WAITING or now - next(iter(self._purchases.values())) >= LONGEST:
            del self._purchases[next(iter(self._purchases))]

    def _wait(self, key: str, row: _Row) -> list[Event]:
        """Lets it wait; returns what has to be told early because too much waits."""
        early = [self._rows.pop(next(iter(self._rows))).message] if len(self._rows) >= MOST_WAITING else []
        self._rows[key] = row
        return list(early)


def _purchase(guard: Message) -> str:
    return f"guard/{guard.viewer.id}/{guard.viewer.name}/{guard.text.partition(' ')[0]}"
