"""Who may connect to our websocket, and how much may be said. Knows no frames.

A web page of another site can open a connection to 127.0.0.1 from the streamer's own browser, but it brings no cookie
and no password with it, only what it knows; so the token is asked of everyone. A browser cannot set headers, so the
token may come in the address or as a subprotocol, too.
"""

from __future__ import annotations

import hmac
import http
from collections.abc import Collection, Sequence
from urllib.parse import parse_qs

from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

PATH = "/chat"


class Admission:
    """`origins`: pages of other sites that may connect, as `https://example.com`; none named: any with the token."""

    def __init__(self, token: str, origins: Collection[str] = ()) -> None:
        self._token = token
        self._origins = frozenset(origins)

    def answer(self, connection: ServerConnection, request: Request, full: bool) -> Response | None:
        """None lets the peer in. A wrong token is told 401, and 403 to another site's page."""
        if request.path.partition("?")[0] != PATH:
            return connection.respond(http.HTTPStatus.NOT_FOUND, f"Connect to {PATH}?token=...\n")
        if not any(self._right(given) for given in _tokens(request)):
            if _other_site(request):
                return connection.respond(http.HTTPStatus.FORBIDDEN, "Another site's page needs the chat token.\n")
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, f"Wrong token. Connect to {PATH}?token=...\n")
        if self._origins and _other_site(request) and not self._origins.issuperset(_origins(request)):
            return connection.respond(
                http.HTTPStatus.FORBIDDEN, "This site is not among the origins of the settings.\n"
            )
        if full:
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections.\n")
        return None

    def subprotocol(self, connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
        """A browser that offers some wants one of them back: the first that is not the token."""
        plain = [name for name in offered if not self._right(name)]
        return next(iter([*plain, *offered]), None)

    def _right(self, given: str) -> bool:
        """Takes as long for a good guess as for a bad one."""
        return hmac.compare_digest(*(word.encode("utf-8", "backslashreplace") for word in (given, self._token)))


class Allowance:
    """So much a second, and `most` at once after a quiet time."""

    def __init__(self, a_second: float, most: float) -> None:
        self._a_second = a_second
        self._most = most
        self._left = most
        self._at: float | None = None

    def take(self, now: float) -> float:
        """Takes one; the seconds until it is due, 0 where it may be had at once."""
        if self._at is not None:
            self._left = min(self._most, self._left + max(0.0, now - self._at) * self._a_second)
        self._at = now
        self._left -= 1
        return max(0.0, -self._left / self._a_second)


def _tokens(request: Request) -> list[str]:
    """Every token that the request offers."""
    offered = parse_qs(request.path.partition("?")[2]).get("token", [])
    for header in request.headers.get_all("Authorization"):
        scheme, _, value = header.partition(" ")
        if scheme.lower() == "bearer":
            offered.append(value.strip())
    for header in request.headers.get_all("Sec-WebSocket-Protocol"):
        offered += [name.strip() for name in header.split(",")]
    return offered


def _origins(request: Request) -> list[str]:
    return request.headers.get_all("Origin")


def _other_site(request: Request) -> bool:
    """True for a browser's page that did not come from this very host and port."""
    hosts = request.headers.get_all("Host")
    return any(origin.partition("://")[2] not in hosts for origin in _origins(request))
