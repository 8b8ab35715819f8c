"""What a row of the tables of routes says."""

from __future__ import annotations

from dataclasses import dataclass

from bot.web.auth import Who
from bot.web.guard import Handler


@dataclass(frozen=True, slots=True)
class Route:
    """`form`: a page, which shows the sign-in under its own address to a browser that has not signed in."""

    method: str
    path: str
    who: Who
    handler: Handler
    form: bool = False
