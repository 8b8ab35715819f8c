"""Starts the real program again and again, quickly: everything is imported once, then each life is a fork.

Only the engine is a fake: its drafts say which replies it was fed, so that a test can see what the model remembers.
Reads one line of JSON a life from standard input (the settings), answers with the new process's id, then with "ready".
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import zlib
from collections.abc import AsyncIterator, Sequence

import bot.app
from bot.config import load_config
from bot.engine.types import (
    Counted,
    DraftDone,
    DraftText,
    Ending,
    EngineState,
    EngineStatus,
    Prompt,
    Reading,
    Sampling,
)
from bot.web.tokens import Tokens

TOKENS = Tokens(operator="operator-token", overlay="overlay-token", chat="chat-token")


def digest(replies: Sequence[str]) -> str:
    return f"记得{len(replies)}句{zlib.crc32(json.dumps(replies).encode())}"


class Witness:
    """An engine whose drafts are the digest of the replies in its prompt."""

    status = EngineStatus(EngineState.READY, "witness")

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def drafts(self, prompt: Prompt, count: int, sampling: Sampling) -> AsyncIterator[DraftText | DraftDone]:
        cue = prompt.parts[-1]
        said = [b[1:] for a, b in zip(prompt.parts, prompt.parts[1:], strict=False) if a == cue]
        text = digest(said[1:])  # the first one is the opening
        for index in range(count):
            yield DraftText(index, text[:2])
            await asyncio.sleep(0.005)
            yield DraftDone(index, text, Ending.STOP)

    async def read(self, prompt: Prompt) -> AsyncIterator[Reading]:
        yield Reading(0, 0)

    async def count(self, texts: Sequence[str]) -> Counted:
        return Counted(tuple(map(len, texts)))


def live(settings: dict[str, object]) -> None:
    def announce(line: str) -> None:
        if not line and not told:
            told.append(line)
            os.write(1, b"ready\n")

    told: list[str] = []
    config = load_config(None, settings)
    asyncio.run(bot.app.run(config, TOKENS, announce, lambda config, on_status: Witness()))  # type: ignore[arg-type,return-value]


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            live(json.loads(line))
            os._exit(1)  # a life ends by SIGKILL only
        os.write(1, f"{child}\n".encode())  # one write: the child speaks into the same pipe
        os.waitpid(child, 0)
        os.write(1, b"gone\n")


if __name__ == "__main__":
    main()
