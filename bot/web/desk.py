"""The script desk: a scene is played out line by line. Routes and their handlers."""

from __future__ import annotations

from bot.web import pages
from bot.web.auth import Who
from bot.web.routes import Route

PAGES: tuple[Route, ...] = (Route("GET", "/desk", Who.OPERATOR, pages.page("desk/desk.html"), form=True),)
CALLS: tuple[Route, ...] = ()
