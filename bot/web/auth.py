"""Who is asking: tokens, sessions, and the limit on guessing. The only file that makes an Operator.

Rules, each held by a test:
- The operator's token is taken from a Bearer header or from the sign-in form, never from a URL.
- The overlay's token opens the overlay and nothing else; the operator's token does not open the overlay.
- A session cookie is not the token: it is signed with a key made from the token. A restart keeps people signed in, and
  a new token signs everybody out.
- Every comparison takes the same time whatever is wrong. Whoever guesses is slowed down; who was let in before at the
  same address is never locked out by somebody else's guessing.
Knows nothing of routes: which door a route has is in server.py.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import time
import unicodedata
from collections import OrderedDict
from collections.abc import Callable
from enum import StrEnum

from aiohttp import web

from bot.approval import Operator
from bot.web.texts import Denied

COOKIE = "cohost_session"
SESSION_SECONDS = 30 * 24 * 3600
LABEL_LENGTH = 20
DEFAULT_NAME = "operator"


class Who(StrEnum):
    """Who may pass a door."""

    ANYONE = "anyone"
    OPERATOR = "operator"
    OVERLAY = "overlay"
    MONITOR = "monitor"  # an operator, or any program on this machine


class Guesses:
    """Counts wrong credentials by address, over a sliding window of `window` seconds."""

    ADDRESSES = 1000  # the address that was quiet longest gives way

    def __init__(self, limit: int = 10, window: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._window = window
        self._clock = clock
        self._wrong: OrderedDict[str, list[tuple[float, bytes]]] = OrderedDict()

    def seconds_to_wait(self, address: str) -> float:
        """How long this address must wait before its next guess; 0 when it need not."""
        recent = self._recent(address)
        return max(0.0, recent[-self._limit][0] + self._window - self._clock()) if len(recent) >= self._limit else 0.0

    def wrong(self, address: str, credential: bytes, *, typed: bool) -> None:
        """Something wrong was shown. A page that repeats an old cookie guesses once, a person who types each time."""
        recent = self._recent(address)
        if typed or all(seen != credential for _, seen in recent):
            recent.append((self._clock(), credential))
        self._wrong[address] = recent[-self._limit :]
        self._wrong.move_to_end(address)
        if len(self._wrong) > self.ADDRESSES:
            self._wrong.popitem(last=False)

    def _recent(self, address: str) -> list[tuple[float, bytes]]:
        start = self._clock() - self._window
        return [guess for guess in self._wrong.get(address, ()) if guess[0] > start]


class Doorkeeper:
    """Lets requests in or raises Denied."""

    KNOWN = 1000  # credentials remembered as good; beyond that new ones lose only their right of way

    def __init__(
        self,
        operator_token: str,
        overlay_token: str,
        *,
        clock: Callable[[], float] = time.time,
        guesses: Guesses | None = None,
    ) -> None:
        if not operator_token or not overlay_token or operator_token == overlay_token:
            raise ValueError("two different tokens are needed")
        self._operator = _digest(operator_token)
        self._overlay = _digest(overlay_token)
        self._key = hashlib.sha256(b"rwkv-cohost session\0" + operator_token.encode()).digest()
        self._clock = clock
        self._guesses = guesses or Guesses()
        self._known: set[tuple[str, bytes]] = set()

    def sign_in(self, token: str, label: str, address: str) -> str:
        """The session cookie for whoever knows the operator's token."""
        self._judge(address, token, hmac.compare_digest(_digest(token), self._operator), "wrong_token", typed=True)
        cookie = self._cookie(operator_name(label), int(self._clock()) + SESSION_SECONDS)
        self._remember(address, _digest(cookie))
        return cookie

    def operator(self, request: web.Request) -> Operator:
        """The person or program behind a request, by Bearer token or by cookie."""
        authorization = request.headers.get("Authorization")
        if authorization is not None:
            scheme, _, token = authorization.partition(" ")
            good = scheme.lower() == "bearer" and hmac.compare_digest(_digest(token.strip()), self._operator)
            self._judge(_address(request), authorization, good, "wrong_token")
            return Operator(DEFAULT_NAME)
        cookie = request.cookies.get(COOKIE)
        if cookie is None:
            raise Denied("not_signed_in")
        name = self._name_in(cookie)
        self._judge(_address(request), cookie, name is not None, "not_signed_in")
        return Operator(name or DEFAULT_NAME)

    def overlay(self, request: web.Request) -> None:
        """The browser source in OBS, which can only bring its token in the address."""
        token = request.query.get("token", "")
        if not token:
            raise Denied("not_signed_in")
        good = hmac.compare_digest(_digest(token), self._overlay)
        # Counted apart: a page elsewhere can open this address with rubbish, and must not lock out the panel.
        self._judge(f"overlay {_address(request)}", token, good, "wrong_token")

    def monitor(self, request: web.Request) -> None:
        """Figures name no viewer, so a program on this machine reads them without a token."""
        if "Authorization" in request.headers or not is_loopback(_address(request)):
            self.operator(request)

    def _judge(self, address: str, credential: str, good: bool, code: str, *, typed: bool = False) -> None:
        digest = _digest(credential)
        if good and (address, digest) in self._known:
            return
        wait = self._guesses.seconds_to_wait(address)
        if wait > 0:
            seconds = str(int(wait) + 1)
            raise Denied("too_many_attempts", seconds, {"Retry-After": seconds})
        if not good:
            self._guesses.wrong(address, digest, typed=typed)
            raise Denied(code)
        # A typed token gets no right of way: otherwise a guess of the right one would shine through the limit.
        if not typed:
            self._remember(address, digest)

    def _remember(self, address: str, credential: bytes) -> None:
        if len(self._known) < self.KNOWN:
            self._known.add((address, credential))

    def _cookie(self, name: str, expires: int) -> str:
        said = f"{base64.urlsafe_b64encode(name.encode()).decode().rstrip('=')}.{expires}"
        return f"{said}.{self._signature(said)}"

    def _name_in(self, cookie: str) -> str | None:
        """The operator's name in a cookie that we signed and that has not expired; None for any other."""
        said, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(signature.encode("utf-8", "surrogatepass"), self._signature(said).encode()):
            return None
        name, expires = said.split(".")
        if int(expires) <= self._clock():
            return None
        return base64.urlsafe_b64decode(name + "=" * (-len(name) % 4)).decode()

    def _signature(self, said: str) -> str:
        return hmac.new(self._key, said.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def operator_name(label: str) -> str:
    """A name fit for the panel and the record: one line, no control or invisible characters, not long."""
    text = unicodedata.normalize("NFKC", label)
    visible = "".join(character for character in text if character.isspace() or character.isprintable())
    return " ".join(visible.split())[:LABEL_LENGTH].strip() or DEFAULT_NAME


def is_loopback(address: str) -> bool:
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    return (mapped or ip).is_loopback


def _address(request: web.Request) -> str:
    return request.remote or ""


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
