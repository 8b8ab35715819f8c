"""Walks every route of the real application: doors, other sites, methods, headers. A new route is walked by itself."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import ClientResponse

from bot.web import server
from bot.web.auth import Who
from bot.web.guard import HEADERS
from bot.web.server import CALLS, PAGES, Route
from tests.web.conftest import BEARER, OPERATOR_TOKEN, OVERLAY_TOKEN, Client, Site

ROUTES = (*PAGES, *CALLS)
LOCKED = [route for route in ROUTES if route.who in (Who.OPERATOR, Who.OVERLAY)]
POSTS = [route for route in ROUTES if route.method == "POST"]
FEEDS = [route for route in ROUTES if route.path.endswith("/feed")]
BODY = {
    "revision": 1,
    "text": "好",
    "character": "小芽",
    "message": "m1",
    "mode": "hold",
    "token": OPERATOR_TOKEN,
    "platform": "test",
    "viewer_id": "7",
    "word": "紫薯精",
    "rule": "block",
}
# What a route cannot do without in its query.
QUERY = {"/api/reading/export": {"show": "雾岛/初见", "form": "txt"}}
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
}


def named(routes: Any) -> Any:
    return pytest.mark.parametrize("route", routes, ids=lambda route: f"{route.method} {route.path}")


def address(route: Route) -> str:
    path = route.path.replace("{id}", "item-1").replace("{name:.+}", "app.js").replace("{name}", "小铃")
    path = path.replace("/api/desk/{scene}", "/api/desk/scene-1")
    return (
        path.replace("{series}", "雾岛")
        .replace("{scenario}", "初见")
        .replace("{character}", "小铃")
        .replace("{file}", "20230801-2100_Log.json")
    )


async def ask(client: Client, route: Route, path: str = "", **headers: str) -> ClientResponse:
    """A request that is right in all but what the test is about, websockets included."""
    upgrade = UPGRADE if route in FEEDS else {}
    body = {"json": BODY} if route.method == "POST" else {}
    query = QUERY.get(route.path, {})
    return await client.request(
        route.method, path or address(route), params=query, headers={**upgrade, **headers}, **body
    )


def walked(app: Any) -> set[tuple[str, str]]:
    return {(route.method, route.resource.canonical) for route in app.router.routes()}


def test_the_tables_are_all_there_is(site: Site) -> None:
    """No route escapes the walk: the application has exactly those of the tables, and HEAD for pages."""
    tables = {(r.method, r.path.replace(":.+", "")) for r in ROUTES}
    tables |= {("HEAD", r.path.replace(":.+", "")) for r in PAGES}
    assert walked(site.app()) == tables


def test_changes_are_posts() -> None:
    """Pages never change anything, and every POST stands in the table that refuses other sites."""
    assert {route.method for route in PAGES} == {"GET"}
    assert {route.method for route in CALLS} == {"GET", "POST"}


@named(LOCKED)
async def test_a_stranger_gets_401(stranger: Client, site: Site, route: Route) -> None:
    """Without a token nothing opens, and nothing happens."""
    answer = await ask(stranger, route)
    assert answer.status == 401
    assert (await answer.json())["error"] == "not_signed_in"
    assert site.show.calls == []


@named([route for route in ROUTES if route.who not in (Who.OPERATOR, Who.OVERLAY)])
async def test_what_is_public_is_open(stranger: Client, route: Route) -> None:
    """A door that is always locked would hide a hole in the walk."""
    assert (await ask(stranger, route)).status == 200


@named(LOCKED)
async def test_a_wrong_token_gets_401(stranger: Client, site: Site, route: Route) -> None:
    """A token that is not ours opens nothing, wherever it is put."""
    path = f"{address(route)}?token=wrong"
    answer = await ask(stranger, route, path, Authorization="Bearer wrong", Cookie="cohost_session=b3A.9999999999.00")
    assert answer.status == 401
    assert site.show.calls == []


@named([route for route in LOCKED if route.who is Who.OPERATOR])
async def test_neither_token_in_the_address_opens_an_operators_door(stranger: Client, site: Site, route: Route) -> None:
    """The operator's token is not taken from an address, where it would be kept in histories; the overlay's opens less."""
    for token in (OPERATOR_TOKEN, OVERLAY_TOKEN):
        answer = await ask(stranger, route, f"{address(route)}?token={token}")
        assert answer.status == 401
    assert site.show.calls == []


@named([route for route in LOCKED if route.who is Who.OPERATOR])
async def test_the_overlays_token_is_not_an_operators(stranger: Client, site: Site, route: Route) -> None:
    """Whoever reads the address in OBS cannot act."""
    answer = await ask(stranger, route, Authorization=f"Bearer {OVERLAY_TOKEN}")
    assert answer.status == 401
    assert site.show.calls == []


@named([route for route in LOCKED if route.who is Who.OVERLAY])
async def test_the_operators_token_does_not_open_the_overlay(operator: Client, route: Route) -> None:
    """Nobody is tempted to paste the operator's token into OBS."""
    assert (await ask(operator, route)).status == 401
    assert (await ask(operator, route, f"{address(route)}?token={OPERATOR_TOKEN}")).status == 401


@named(CALLS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=lambda headers: next(iter(headers.values())),
)
async def test_another_site_gets_403(operator: Client, site: Site, route: Route, headers: dict[str, str]) -> None:
    """Even with the right token: a page that is not ours cannot call, and cannot open a websocket."""
    answer = await ask(operator, route, f"{address(route)}?token={OVERLAY_TOKEN}", **headers)
    assert answer.status == 403
    assert (await answer.json())["error"] == "other_site"
    assert site.show.calls == []
    assert site.show.operators == site.show.overlays == []


@named(ROUTES)
async def test_another_host_name_gets_403(operator: Client, site: Site, route: Route) -> None:
    """A page whose name was pointed at us (DNS rebinding) gets nothing, not even a page."""
    answer = await ask(operator, route, f"{address(route)}?token={OVERLAY_TOKEN}", Host="evil.example")
    assert answer.status == 403
    assert (await answer.json())["error"] == "wrong_host"
    assert site.show.calls == []


@named(POSTS)
async def test_get_does_not_do_what_post_does(operator: Client, site: Site, route: Route) -> None:
    """Neither a picture's address nor a link can change anything."""
    others = {one.method for one in CALLS if one.path == route.path}  # which have rows, and doors, of their own
    for method in {"GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"} - others:
        answer = await operator.request(method, address(route))
        # The sign-in's address is a page, too; and "open" is no scene.
        other = {("/login", "GET"): 200, ("/login", "HEAD"): 200, ("/api/desk/open", "GET"): 404}
        assert answer.status == other.get((route.path, method), 405)
    assert site.show.calls == []


@named([route for route in ROUTES if route.method == "GET" and route not in FEEDS])
async def test_get_changes_nothing(operator: Client, site: Site, route: Route) -> None:
    """Reading twice reads the same, and the show was asked for nothing."""
    path = f"{address(route)}?token={OVERLAY_TOKEN}"
    first, second = [await (await ask(operator, route, path)).read() for _ in range(2)]
    assert first == second
    assert site.show.calls == []


@named([route for route in POSTS if route.handler.__module__ != server.__name__])
async def test_an_operator_gets_to_the_desk_and_the_scenarios(operator: Client, route: Route) -> None:
    """What they say to a body like this is their own matter; the door is open."""
    assert (await ask(operator, route)).status not in (401, 403, 405, 500)


@named([route for route in POSTS if route.path != "/login" and route.handler.__module__ == server.__name__])
async def test_an_operator_is_let_in(operator: Client, site: Site, route: Route) -> None:
    """The walk above would pass if everything were always refused; this shows that it is not."""
    answer = await ask(operator, route)
    assert answer.status == 200
    assert (await answer.json())["ok"] is True
    assert len(site.show.calls) == 1


@named(ROUTES)
@pytest.mark.parametrize("right", [True, False], ids=["let in", "refused"])
async def test_every_answer_carries_the_headers(stranger: Client, route: Route, right: bool) -> None:
    """Pages, answers, refusals and handshakes."""
    path = f"{address(route)}?token={OVERLAY_TOKEN}" if right else ""
    answer = await ask(stranger, route, path, **(BEARER if right else {}))
    waiting = {"Cross-Origin-Resource-Policy": "cross-origin"} if route.path == "/health" else {}
    assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS | waiting
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.status < 400 if right and route.method == "GET" else True
    pictures = route.path.startswith(("/static/", "/avatar/")) or route.path.endswith("/avatars/{character}")
    kept = answer.status == 200 and route.method == "GET" and pictures
    assert answer.headers["Cache-Control"] == ("no-cache" if kept else "no-store")
    assert "Server" not in answer.headers
    answer.close()


async def test_an_address_that_is_nowhere_is_404(stranger: Client) -> None:
    """For everybody alike, with the headers and in our form."""
    for path in ("/nowhere", "/api/", "/api/nothing", "/Tester/Other.html", "/static/"):
        answer = await stranger.get(path)
        assert answer.status == 404
        assert (await answer.json())["error"] == "not_found"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
