"""The script desk: a scene is played out line by line. Routes and their handlers."""

from __future__ import annotations

from bot.web.routes import Route

PAGES: tuple[Route, ...] = ()
CALLS: tuple[Route, ...] = ()
