"""The scenarios: list, edit, import, export. Routes and their handlers."""

from __future__ import annotations

from bot.web import pages
from bot.web.auth import Who
from bot.web.routes import Route

PAGES: tuple[Route, ...] = (
    Route("GET", "/scenarios", Who.OPERATOR, pages.page("scenarios/scenarios.html"), form=True),
)
CALLS: tuple[Route, ...] = ()
