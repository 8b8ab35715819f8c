"""Reads what an HTTP server answers, and no more of it than it may be."""

from __future__ import annotations

from aiohttp import ClientResponse


async def read_body(response: ClientResponse, most: int) -> bytes:
    """The body; of one that is longer than `most` bytes a little more than that, so that it is no JSON any more."""
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > most:
            break
    return bytes(body)
