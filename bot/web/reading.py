"""The story to read, to search and to take away. Routes and their handlers."""

from __future__ import annotations

from bot.web.routes import Route

PAGES: tuple[Route, ...] = ()
CALLS: tuple[Route, ...] = ()
