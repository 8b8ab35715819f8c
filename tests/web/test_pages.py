"""Pages and the files they load."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from bot.web import pages
from tests.web.conftest import OVERLAY_TOKEN, Client, Site

BROWSER = {"Accept": "text/html,application/xhtml+xml"}


async def test_pages_are_pages(operator: Client) -> None:
    """Each under its own address."""
    open_pages = (("/", "panel"), ("/login", "login"), (f"/overlay?token={OVERLAY_TOKEN}", "overlay"))
    for path, page in (*open_pages, ("/scenarios", "scenarios")):
        answer = await operator.get(path)
        assert answer.content_type == "text/html" and answer.charset == "utf-8"
        assert f"<title>{page}</title>" in await answer.text()


async def test_a_browser_that_has_not_signed_in_sees_the_form(stranger: Client) -> None:
    """Under the panel's address, with the status of a refusal; a program gets our JSON."""
    answer = await stranger.get("/", headers=BROWSER)
    assert (answer.status, answer.content_type) == (401, "text/html")
    assert "<title>login</title>" in await answer.text()
    assert (await (await stranger.get("/")).json())["error"] == "not_signed_in"


@pytest.mark.parametrize(
    ("path", "kind"),
    [("app.js", "text/javascript; charset=utf-8"), ("parts/card.css", "text/css; charset=utf-8")],
)
async def test_files_have_their_type(stranger: Client, path: str, kind: str) -> None:
    """Written out by us: with `nosniff` a script of the wrong type does not run."""
    answer = await stranger.get(f"/static/{path}")
    assert (answer.status, answer.headers["Content-Type"]) == (200, kind)


async def test_a_file_that_has_not_changed_is_not_sent_again(stranger: Client, site: Site) -> None:
    """It is asked about each time, so that an update shows at once."""
    first = await stranger.get("/static/app.js")
    assert first.headers["Cache-Control"] == "no-cache"
    again = await stranger.get("/static/app.js", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, await again.read()) == (304, b"")
    (site.static / "app.js").write_text("export {}; // newer", encoding="utf-8")
    changed = await stranger.get("/static/app.js", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status == 200


async def test_a_characters_picture_is_the_overlays_to_see(stranger: Client) -> None:
    """By the character's name, which is never taken for a path."""
    answer = await stranger.get("/avatar/小铃", params={"token": OVERLAY_TOKEN})
    assert (answer.status, answer.content_type, await answer.read()) == (200, "image/png", b"a picture")
    for name in ("别人", "..%2Fsecret.js", "%2Fetc%2Fpasswd"):
        answer = await stranger.get(f"/avatar/{name}", params={"token": OVERLAY_TOKEN})
        assert answer.status == 404


def raw_get(port: int, target: str) -> bytes:
    """As written: client libraries tidy a path up before they send it."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.mark.parametrize(
    "target",
    [
        "/static/../secret.js",
        "/static/%2e%2e/secret.js",
        "/static/..%2fsecret.js",
        "/static/..%5csecret.js",
        "/static/parts/../../secret.js",
        "/static//../secret.js",
        "/static/./../secret.js",
        "/static/%252e%252e/secret.js",
        "/static/%00secret.js",
        "/static/{folder}/secret.js",
        "/static//{folder}/secret.js",
        "/static/notes.txt",
        "/static/panel.html",
        "/static/parts",
        "/static/parts/",
        "/static/%ff",
        "/static/" + "a" * 4000,
    ],
)
async def test_no_address_leads_out_of_the_folder(stranger: Client, site: Site, target: str) -> None:
    """Nor to a page without its door, nor to a kind of file that pages do not load."""
    target = target.replace("{folder}", site.static.parent.as_posix().lstrip("/"))
    answer = await asyncio.to_thread(raw_get, stranger.port or 0, target)
    assert answer.split(b"\r\n")[0].split()[1] in (b"404", b"400")
    assert b"outside" not in answer and b"not for the web" not in answer


async def test_pages_answer_to_head(operator: Client) -> None:
    """Monitors and link checkers ask that way."""
    for path in ("/", "/health", "/static/app.js"):
        answer = await operator.head(path)
        assert (answer.status, await answer.read()) == (200, b"")


async def test_head_has_the_same_door(stranger: Client) -> None:
    """It is a GET without the words."""
    assert (await stranger.head("/")).status == 401
    assert (await stranger.head("/overlay")).status == 401


async def test_health_needs_no_token(stranger: Client, site: Site) -> None:
    """Alive while the engine loads or has failed; it names nothing else."""
    site.show.state["engine"]["state"] = "failed"
    answer = await stranger.get("/health")
    assert (answer.status, await answer.json()) == (200, {"status": "ok", "engine": "failed", "version": "0.1.0"})


async def test_the_state_is_the_snapshot(operator: Client, site: Site) -> None:
    """One look for programs that do not listen."""
    assert await (await operator.get("/api/state")).json() == site.show.snapshot()


def test_the_real_pages_are_found() -> None:
    """Every file that lies beside the pages has a kind that we serve."""
    files: Any = [path for path in pages.STATIC.rglob("*") if path.is_file() and path.suffix != ".html"]
    assert set(pages.find_files(pages.STATIC).values()) == set(files)
