"""So many at most in so many seconds, whichever seconds one looks at. What a platform's limits ask of who calls it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable


class Pace:
    """At most `count` turns in any `seconds`, for one user at a time."""

    def __init__(
        self,
        count: int,
        seconds: float,
        *,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """`clock` in seconds, never falling; None: the loop's."""
        self._seconds = seconds
        self._clock = clock or (lambda: asyncio.get_running_loop().time())
        self._sleep = sleep
        self._turns: deque[float] = deque(maxlen=count)

    async def turn(self) -> None:
        """Returns when one more is allowed; it counts from then on."""
        if len(self._turns) == self._turns.maxlen:
            left = self._turns[0] + self._seconds - self._clock()
            if left > 0:
                await self._sleep(left)
        self._turns.append(self._clock())
