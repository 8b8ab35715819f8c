"""A user's own service, asked over HTTP: one POST a text. docs/moderation.md describes the protocol for its author.

    {"text": "…", "direction": "in"}  ->  {"findings": [{"category": "insult", "severity": 2, "start": 0, "end": 2, "reason": "…"}]}

An answer that is anything else is no answer: the text is unchecked. Redirects are not followed, for the text and the
key are meant for this address alone.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, DummyCookieJar

from moderation.providers import Unusable
from moderation.verdict import Direction, Finding

MOST_BYTES = 65_536
MOST_FINDINGS = 100
MOST_REASON = 200


class HttpService:
    """`seconds`: how long it may take. `api_key` goes along as a bearer token."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        seconds: float = 3.0,
        api_key: str = "",
        directions: Collection[Direction] = tuple(Direction),
    ) -> None:
        self.name = name
        self.directions = directions
        self._url = url
        self._timeout = ClientTimeout(total=seconds)
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._session: ClientSession | None = None

    async def check(self, text: str, direction: Direction) -> list[Finding]:
        """Raises Unusable."""
        body = {"text": text, "direction": direction.value}
        try:
            async with self._http().post(self._url, json=body, allow_redirects=False) as response:
                if response.status != 200:
                    raise Unusable(f"it answered with status {response.status}")
                return parse_findings(await _read(response), text)
        except (ClientError, TimeoutError) as error:
            raise Unusable(f"it cannot be reached or is too slow ({type(error).__name__})") from error

    async def aclose(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _http(self) -> ClientSession:
        """Made when first needed, for it belongs to the running loop."""
        if self._session is None:
            self._session = ClientSession(timeout=self._timeout, headers=self._headers, cookie_jar=DummyCookieJar())
        return self._session


async def _read(response: ClientResponse) -> bytes:
    body = b""
    async for part in response.content.iter_chunked(MOST_BYTES):
        body += part
        if len(body) > MOST_BYTES:
            raise Unusable(f"its answer is longer than {MOST_BYTES} bytes")
    return body


def parse_findings(body: bytes, text: str) -> list[Finding]:
    """What an answer says of `text`. Raises Unusable for one that is not as it should be: half an answer is none."""
    try:
        answer: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Unusable("its answer is no JSON") from error
    rows = answer.get("findings") if isinstance(answer, dict) else None
    if not isinstance(rows, list) or len(rows) > MOST_FINDINGS:
        raise Unusable(f'its answer has no list "findings" of at most {MOST_FINDINGS}')
    return [_finding(row, text) for row in rows]


def _finding(row: Any, text: str) -> Finding:
    if not isinstance(row, dict):
        raise Unusable("a finding is no object")
    category, reason = row.get("category"), row.get("reason")
    if not isinstance(category, str) or not isinstance(reason, str) or len(reason) > MOST_REASON:
        raise Unusable(f'a finding needs "category" and "reason" (at most {MOST_REASON} characters)')
    severity, start, end = (_whole(row, key) for key in ("severity", "start", "end"))
    if end > len(text):
        raise Unusable("a finding lies outside the text")
    try:
        return Finding(category, severity, "service", start, end, reason)
    except ValueError as error:
        raise Unusable(str(error)) from error


def _whole(row: dict[str, Any], key: str) -> int:
    value = row.get(key)
    if type(value) is not int:  # True is an int as well
        raise Unusable(f'a finding needs a whole number as "{key}"')
    return value
