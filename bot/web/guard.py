"""What stands before every route: errors become JSON, hosts and sites are checked, doors are kept, answers get headers.

The order is in `MIDDLEWARES`. What a single route needs (its door, and whether another site may link to it) is in the
tables of server.py; a route that is in no table needs an operator and refuses other sites.
"""

from __future__ import annotations

import ipaddress
import logging
import re
import socket
import traceback
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from aiohttp import web

from bot.approval import Refused
from bot.errors import UserError
from bot.save.errors import SaveError
from bot.web import keys
from bot.web.auth import COOKIE, Who, is_loopback
from bot.web.texts import Denied, Language, spoken

log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

BODY_LIMIT = 64 * 1024

# default-src covers scripts, styles, pictures, sounds and websockets; the other three are outside what it rules.
CONTENT_SECURITY_POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class Door:
    """What a route asks for. `linkable`: opened by typing, by a bookmark, by OBS or by a link from anywhere. `form`: a
    browser that has not signed in gets the sign-in page under this address."""

    who: Who = Who.OPERATOR
    linkable: bool = False
    form: bool = False


DOORS: web.AppKey[dict[tuple[str, str], Door]] = web.AppKey("doors")
HOSTS: web.AppKey[Hosts] = web.AppKey("hosts")


class Hosts:
    """Which Host headers are ours. A page elsewhere can point its own name at us (DNS rebinding), but not our names.

    Loopback names always; when we listen beyond loopback, also this machine's own name and every literal address, since
    an address cannot be made to point elsewhere. `names` are further ones. The port may be any (port forwarding).
    """

    FORM = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\[\]:@/?#\\\s]+)(:[0-9]{1,5})?")

    def __init__(self, listening: str, names: Iterable[str] = ()) -> None:
        self._open = not (listening == "localhost" or is_loopback(listening))
        self._names = {"localhost", *(name.lower().rstrip(".") for name in names)}
        if self._open:
            machine = socket.gethostname().lower()
            self._names |= {machine, f"{machine}.local"}

    def __contains__(self, host: str) -> bool:
        found = self.FORM.fullmatch(host)
        if found is None:
            return False
        name = found[1].strip("[]").lower().rstrip(".")
        return name in self._names or (_is_address(name) and (self._open or is_loopback(name)))


@web.middleware
async def errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every refusal and every failure as `{"error", "message"}`; one bad request must not end a broadcast."""
    try:
        return await handler(request)
    except Denied as denied:
        return refusal(request, denied)
    except Refused as refused:
        status = 404 if refused.code == "not_found" else 409
        return web.json_response({"error": refused.code, "message": str(refused)}, status=status)
    except SaveError as error:
        return web.json_response({"error": "save_failed", "message": str(error)}, status=500)
    except UserError as error:
        return web.json_response({"error": "mistake", "message": str(error)}, status=400)
    except web.HTTPRequestEntityTooLarge:
        return refusal(request, Denied("too_large", f"{BODY_LIMIT >> 10} KiB"))
    except web.HTTPBadRequest as error:
        return refusal(request, Denied("bad_request", error.text or ""))
    except web.HTTPNotFound:
        return refusal(request, Denied("not_found"))
    except web.HTTPMethodNotAllowed as error:
        return refusal(request, Denied("method_not_allowed", headers={"Allow": error.headers["Allow"]}))
    except Exception as error:
        if not (gone(request) and isinstance(error, ConnectionError)):
            report(request, error)
        return refusal(request, Denied("failed"))  # which nobody hears where the page is gone


@web.middleware
async def own_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    hosts = request.headers.getall("Host", [])
    if len(hosts) != 1 or hosts[0] not in request.app[HOSTS]:
        raise Denied("wrong_host")
    return await handler(request)


@web.middleware
async def own_site(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Pages of other sites cannot call us. Programs send neither header and show their token instead."""
    if not _door(request).linkable and _from_other_site(request):
        raise Denied("other_site")
    return await handler(request)


@web.middleware
async def doors(request: web.Request, handler: Handler) -> web.StreamResponse:
    keeper, who = request.app[keys.DOORKEEPER], _door(request).who
    if who is Who.OPERATOR:
        request[keys.OPERATOR] = keeper.operator(request)
    elif who is Who.OVERLAY:
        keeper.overlay(request)
    elif who is Who.MONITOR:
        keeper.monitor(request)
    return await handler(request)


MIDDLEWARES = (errors, own_host, own_site, doors)


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """On every answer, websockets and refusals included."""
    for name, value in (HEADERS | {"Cache-Control": "no-store"}).items():
        response.headers.setdefault(name, value)
    response.headers.pop("Server", None)


def language_of(request: web.Request) -> Language:
    return spoken(request.headers.get("Accept-Language", ""), request.app[keys.LANGUAGE])


def refusal(request: web.Request, denied: Denied) -> web.Response:
    body: dict[str, object] = {"error": denied.code, "message": denied.text(language_of(request))}
    if denied.fields:
        body["fields"] = denied.fields
    answer = web.json_response(body, status=denied.status, headers=denied.headers)
    if denied.status == 401:
        answer.headers["WWW-Authenticate"] = 'Bearer realm="cohost"'
        if COOKIE in request.cookies and _door(request).who is Who.OPERATOR:
            answer.del_cookie(COOKIE)  # an old session: the browser need not bring it again
        if _door(request).form and "text/html" in request.headers.get("Accept", ""):
            answer.body = (request.app[keys.FOLDER] / "login.html").read_bytes()
            answer.content_type = "text/html"
    return answer


def report(request: web.Request, error: BaseException) -> None:
    """A failure of ours in the log. Its message may quote a viewer, so only the kind and the place are said aloud."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "?"
    log.error("%s %s failed: %s at %s", request.method, _pattern(request), type(error).__name__, place)
    log.debug("%s", type(error).__name__, exc_info=error)


def gone(request: web.Request) -> bool:
    """Whether nobody hears the answer any more."""
    return request.transport is None or request.transport.is_closing()


def _door(request: web.Request) -> Door:
    if request.match_info.http_exception is not None:
        return Door(Who.ANYONE, linkable=True)  # there is no such route: the answer is 404 or 405 for everybody
    return request.app[DOORS].get((request.method, _pattern(request)), Door())


def _pattern(request: web.Request) -> str:
    """The route as it is written in the table, without ids or tokens."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else "(no route)"


def _from_other_site(request: web.Request) -> bool:
    if request.headers.get("Sec-Fetch-Site", "none") not in ("same-origin", "none"):
        return True
    origin = request.headers.get("Origin")
    host = request.headers["Host"].lower()
    return origin is not None and origin.lower() not in (f"http://{host}", f"https://{host}")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
