"""The pages and the files they load. Files are found once, at start: an address can only name one of them."""

from __future__ import annotations

from pathlib import Path

from aiohttp import web

from bot.web import keys
from bot.web.guard import Handler
from bot.web.texts import Denied

STATIC = Path(__file__).parent / "static"

# Written out, since what the operating system believes about ".js" differs (Windows reads it from its registry).
CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".wav": "audio/wav",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
HTML = "text/html; charset=utf-8"

FILES: web.AppKey[dict[str, Path]] = web.AppKey("files")


def find_files(folder: Path) -> dict[str, Path]:
    """Every file that a page may load, by its address below /static/. Pages themselves are not among them."""
    files = (path for path in folder.rglob("*") if path.suffix in CONTENT_TYPES and path.is_file())
    return {path.relative_to(folder).as_posix(): path for path in files}


async def panel(request: web.Request) -> web.StreamResponse:
    return _page(request, "panel.html")


async def overlay(request: web.Request) -> web.StreamResponse:
    return _page(request, "overlay.html")


async def login(request: web.Request) -> web.StreamResponse:
    return _page(request, "login.html")


async def static(request: web.Request) -> web.StreamResponse:
    path = request.app[FILES].get(request.match_info["name"])
    if path is None:
        raise Denied("not_found")
    return _file(path, CONTENT_TYPES[path.suffix], "no-cache")  # kept, but asked about each time: the ETag answers


async def avatar(request: web.Request) -> web.StreamResponse:
    """A character's picture. Like the files, pictures are found once, at start."""
    path = request.app[keys.AVATARS].get(request.match_info["name"])
    if path is None:
        raise Denied("not_found")
    return picture(path)


def picture(path: Path) -> web.FileResponse:
    return _file(path, CONTENT_TYPES[".png"], "no-cache")


def page(name: str) -> Handler:
    """A handler that answers with that file of the folder: `page("desk/desk.html")`."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return _page(request, name)

    return answer


def _page(request: web.Request, name: str) -> web.FileResponse:
    return _file(request.app[keys.FOLDER] / name, HTML, "no-store")


def _file(path: Path, content_type: str, cache: str) -> web.FileResponse:
    return web.FileResponse(path, headers={"Content-Type": content_type, "Cache-Control": cache})
