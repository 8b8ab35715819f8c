"""A port for a server that is started later, or again."""

from __future__ import annotations

import random
import socket

BELOW_ALL_THAT_ARE_GIVEN_AWAY = range(15_000, 32_000)
"""No system gives one of these to whoever asks for any port: what another test opens meanwhile is not in the way."""


def free_port() -> int:
    """Nobody listens there now."""
    chance = random.SystemRandom()  # hypothesis makes the usual one draw the same in every process
    while True:
        port = chance.choice(BELOW_ALL_THAT_ARE_GIVEN_AWAY)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
