"""A user's own service over HTTP: a real one that is right, wrong, slow or absent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from moderation.http_service import MOST_BYTES, HttpService, parse_findings
from moderation.providers import Providers, Unusable
from moderation.verdict import NOTABLE, Direction, Finding
from tests.fakes.moderation_service import Service, rude, serving
from tests.ports import free_port

FOUND = {"category": "insult", "severity": 2, "start": 0, "end": 2, "reason": "难听"}


async def test_what_it_finds() -> None:
    """The text, the direction and the key reach it; its findings come back."""
    service = Service(lambda text: [FOUND])
    async with serving(service.answer) as url:
        own = HttpService("own", url, api_key="k3y")
        assert await own.check("笨蛋", Direction.IN) == [Finding("insult", NOTABLE, "service", 0, 2, "难听")]
        await own.aclose()
    assert service.asked == [{"text": "笨蛋", "direction": "in"}]
    assert service.headers[0]["Authorization"] == "Bearer k3y"


async def test_through_the_providers_it_has_its_name_and_is_closed() -> None:
    async with serving(Service(rude).answer) as url:
        providers = Providers([HttpService("own", url)])
        await providers.ask("笨蛋", Direction.OUT)
        [found] = providers.check("笨蛋", Direction.OUT)
        await providers.aclose()
    assert (found.source, found.category) == ("own", "insult")


def answer(**changes: Any) -> bytes:
    return json.dumps({"findings": [{**FOUND, **changes}]}).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"[" * 60_000,
        b"null",
        b"[]",
        b"{}",
        b'{"findings": {}}',
        b'{"findings": [[]]}',
        json.dumps({"findings": [FOUND] * 101}).encode(),
        answer(category=1),
        answer(severity=True),
        answer(severity=2.0),
        answer(severity=0),
        answer(severity=5),
        answer(start=-1),
        answer(start=2, end=1),
        answer(end=3),
        answer(end=None),
        answer(reason=None),
        answer(reason="长" * 201),
    ],
    ids=lambda body: body[:40].decode("utf-8", "replace"),
)
def test_an_answer_that_makes_no_sense_is_none(body: bytes) -> None:
    """Half of one is none either. What is said of it quotes nothing of it."""
    with pytest.raises(Unusable) as said:
        parse_findings(body, "笨蛋")
    assert "笨" not in str(said.value) and "长" not in str(said.value)


def test_no_findings_are_an_answer() -> None:
    assert parse_findings(b'{"findings": []}', "你好") == []


@asynccontextmanager
async def answering(response: web.Response) -> AsyncIterator[str]:
    async def handle(request: web.Request) -> web.Response:
        return response

    async with serving(handle) as url:
        yield url


@pytest.mark.parametrize(
    "response",
    [
        web.Response(status=500, text='{"findings": []}'),
        web.Response(status=307, headers={"Location": "/elsewhere"}),
        web.Response(body=b'{"findings": []}' + b" " * MOST_BYTES),
    ],
    ids=["an error", "a redirect", "too long"],
)
async def test_a_response_that_is_no_answer(response: web.Response) -> None:
    async with answering(response) as url:
        own = HttpService("own", url)
        with pytest.raises(Unusable):
            await own.check("你好", Direction.IN)
        await own.aclose()


async def test_one_that_is_too_slow() -> None:
    service = Service(rude)
    service.gate.clear()
    async with serving(service.answer) as url:
        own = HttpService("own", url, seconds=0.05)
        with pytest.raises(Unusable, match="too slow"):
            await own.check("你好", Direction.IN)
        await own.aclose()
        service.gate.set()


async def test_one_that_is_not_there() -> None:
    own = HttpService("own", f"http://127.0.0.1:{free_port()}/")
    with pytest.raises(Unusable, match="reached"):
        await own.check("你好", Direction.IN)
    await own.aclose()


async def test_one_that_hangs_up() -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        own = HttpService("own", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
        with pytest.raises(Unusable, match="reached"):
            await own.check("你好", Direction.IN)
        await own.aclose()
