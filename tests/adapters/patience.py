"""How long a test waits for what should come at once."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def soon(awaited: Awaitable[T]) -> T:
    """The result; TimeoutError after half a minute, so that a test that would hang fails where it hangs."""
    async with asyncio.timeout(30):
        return await awaited
