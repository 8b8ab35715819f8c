"""What an author runs on an adapter before others do: `assert await check_adapter(make) == []`.

Needs no test framework. The adapter has to hear something while it is checked, so it is given a server of the author's
own that says at least `events` things and stays (`docs/adapters.md` shows one).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from typing import cast

from adapters.base import Adapter, Phase, state_of
from bot.messages import Event, Kind, Message, Role, Viewer, Withdrawn

MILLISECONDS = 1e11  # a time above this was not given in seconds

Make = Callable[[], Adapter]


async def check_adapter(make: Make, events: int = 2, seconds: float = 10.0) -> list[str]:
    """Everything that is wrong with the adapters that `make()` makes, one line each; [] when nothing was found.

    Hears `events` events from each of two adapters, within `seconds` for each, and lets go of them in the two ways in
    which the program does: by closing the iterator, and by cancelling the task that reads it.
    """
    before = asyncio.all_tasks()
    adapter = make()
    problems = [
        *_shape(adapter),
        *(["making it started a task: begin in messages()"] * (asyncio.all_tasks() != before)),
    ]
    if problems:
        return problems
    heard, trouble = await _hear(adapter, events, seconds)
    problems += trouble
    for event in heard:
        problems += _event_problems(event, adapter.name)
    problems += [*_repeated(heard), *_state_problems(adapter, heard)]
    problems += await _cancelled(make(), seconds)
    if left := asyncio.all_tasks() - before:
        problems.append(
            f"left running after the end: {sorted(task.get_name() for task in left)}; end them in `finally`"
        )
    return list(dict.fromkeys(problems))


def _shape(adapter: Adapter) -> Iterator[str]:
    if not isinstance(getattr(adapter, "name", None), str) or not adapter.name.isprintable() or not adapter.name:
        yield "`name` must be a word, such as line_chat"
    source: object = adapter.messages() if callable(getattr(adapter, "messages", None)) else None
    if not isinstance(source, AsyncGenerator):
        yield f"messages() must be an async generator, is {type(source).__name__}"
    if isinstance(source, Coroutine):
        source.close()
    if hasattr(adapter, "state") and state_of(adapter) is None:
        yield "`state` must be an AdapterState"
    if sending := {"send", "say", "post", "show", "publish", "reply"} & set(dir(adapter)):
        yield f"an adapter only listens: remove {sorted(sending)}; what posts is an outlet"


async def _hear(adapter: Adapter, count: int, seconds: float) -> tuple[list[Event], list[str]]:
    heard: list[Event] = []
    source = cast(AsyncGenerator[Event, None], adapter.messages())
    trouble = []
    try:
        async with asyncio.timeout(seconds):
            while len(heard) < count:
                heard.append(await anext(source))
    except TimeoutError:
        trouble.append(f"heard {len(heard)} of {count} events in {seconds:g} s")
    except StopAsyncIteration:
        trouble.append(f"ended after {len(heard)} of {count} events")
    except Exception as error:
        trouble.append(f"messages() raised {error!r} after {len(heard)} events: one bad message must not end it")
    return heard, trouble + await _closed(source, seconds)


async def _closed(source: AsyncGenerator[Event, None], seconds: float) -> list[str]:
    try:
        async with asyncio.timeout(seconds):
            await source.aclose()
    except Exception as error:
        return [f"closing it raised {error!r}"]
    return []


async def _cancelled(adapter: Adapter, seconds: float) -> list[str]:
    async def read() -> None:
        async for _ in adapter.messages():
            started.set()

    started = asyncio.Event()
    reader = asyncio.create_task(read())
    begun = asyncio.create_task(started.wait())
    await asyncio.wait({reader, begun}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    begun.cancel()
    reader.cancel()
    await asyncio.wait({reader, begun}, timeout=seconds)
    if not reader.done():
        return [f"did not end within {seconds:g} s of being cancelled"]
    if not reader.cancelled() and (error := reader.exception()) is not None:
        return [f"a second one, and cancelling it, raised {error!r}"]
    return []


def _event_problems(event: object, name: str) -> Iterator[str]:
    if isinstance(event, Withdrawn):
        yield from _withdrawn_problems(event, name)
    elif isinstance(event, Message):
        yield from _message_problems(event, name)
    else:
        yield f"yielded {type(event).__name__}; must be Message or Withdrawn"


def _withdrawn_problems(event: Withdrawn, name: str) -> Iterator[str]:
    if event.platform != name:
        yield f"Withdrawn.platform is {event.platform!r}; must be the adapter's name, {name!r}"
    if any(not message_id.startswith(f"{name}:") for message_id in event.messages):
        yield f"ids in Withdrawn.messages must begin with {name + ':'!r}, as those of the messages"
    if not (event.messages or event.viewers or event.everything):
        yield "a Withdrawn that takes nothing back"


def _message_problems(message: Message, name: str) -> Iterator[str]:
    if not message.id.startswith(f"{name}:") or len(message.id) <= len(name) + 1:
        yield f"Message.id {message.id!r} must be {name + ':'!r} and the platform's own id"
    if not isinstance(cast(object, message.kind), Kind):
        yield f"Message.kind {message.kind!r} must be a Kind"
    if message.kind is Kind.DANMAKU and not message.text.strip():
        yield "a danmaku without text"
    if message.price is not None and not (math.isfinite(message.price) and message.price > 0):
        yield f"Message.price {message.price!r} must be yuan above 0, or None"
    if not math.isfinite(message.time) or not 0 < message.time < MILLISECONDS:
        yield f"Message.time {message.time!r} must be seconds since 1970"
    yield from _viewer_problems(message.viewer, name)
    try:
        f"{message.id}{message.text}{message.viewer.id}{message.viewer.name}".encode()
    except UnicodeEncodeError:
        yield "half a surrogate pair in a text: it cannot be stored"


def _viewer_problems(viewer: Viewer, name: str) -> Iterator[str]:
    if viewer.platform != name:
        yield f"Viewer.platform is {viewer.platform!r}; must be the adapter's name, {name!r}"
    if viewer.id and viewer.id == viewer.name:
        yield f"Viewer.id {viewer.id!r} is the shown name: use the platform's id, or {''!r} where it gives none"
    if viewer.id in ("0", "None", "null"):
        yield f"Viewer.id {viewer.id!r} would make one person of all who have none: use {''!r}"
    if not all(isinstance(cast(object, role), Role) for role in viewer.roles):
        yield f"Viewer.roles {viewer.roles!r} must be a frozenset of Role"


def _repeated(heard: list[Event]) -> Iterator[str]:
    ids = [event.id for event in heard if isinstance(event, Message)]
    if repeated := sorted({name for name in ids if ids.count(name) > 1}):
        yield f"the same Message.id twice: {repeated}"


def _state_problems(adapter: Adapter, heard: list[Event]) -> Iterator[str]:
    state, count = state_of(adapter), sum(isinstance(event, Message) for event in heard)
    if state is None:
        return
    if state.received < count:
        yield f"state.received is {state.received} after {count} messages: call state.heard(now) for each"
    if count and state.last_message is None:
        yield "state.last_message is None after a message: call state.heard(now) for each"
    if count and state.state is Phase.CONNECTING:
        yield "state.state is still `connecting` after a message: state.become(Phase.LIVE)"
