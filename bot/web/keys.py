"""Where the parts hang on the application and on a request. Names only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from bot.approval import Operator
from bot.feed import Event, Feed
from bot.save.ledger import Ledger
from bot.save.library import Library
from bot.web.auth import Doorkeeper
from bot.web.stories import Stories
from bot.web.texts import Language

if TYPE_CHECKING:
    from bot.desk.desk import Desk
    from bot.show import Show

SHOW: web.AppKey[Show] = web.AppKey("show")
DESK: web.AppKey[Desk] = web.AppKey("desk")
FEED = web.AppKey("feed", Feed)
OVERLAY_FEED = web.AppKey("overlay_feed", Feed)
NOW_SHOWING: web.AppKey[Callable[[], Event]] = web.AppKey("now_showing")
DOORKEEPER = web.AppKey("doorkeeper", Doorkeeper)
LANGUAGE: web.AppKey[Language] = web.AppKey("language")
FOLDER = web.AppKey("folder", Path)
AVATARS: web.AppKey[Mapping[str, Path]] = web.AppKey("avatars")
LEDGER: web.AppKey[Callable[[], Ledger]] = web.AppKey("ledger")
LIBRARY = web.AppKey("library", Library)
STORIES = web.AppKey("stories", Stories)
PRESETS: web.AppKey[tuple[str, ...]] = web.AppKey("presets")  # names of ways of drawing words
OPERATOR = web.RequestKey("operator", Operator)
