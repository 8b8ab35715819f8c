"""The scenarios: list, edit, import, export. Routes and their handlers."""

from __future__ import annotations

from bot.web.routes import Route

PAGES: tuple[Route, ...] = ()
CALLS: tuple[Route, ...] = ()
