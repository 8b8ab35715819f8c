"""The figures of the desk and of the show. Routes and their handlers."""

from __future__ import annotations

from bot.web.routes import Route

PAGES: tuple[Route, ...] = ()
CALLS: tuple[Route, ...] = ()
