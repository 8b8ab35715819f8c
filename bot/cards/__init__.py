"""Scenarios from and for other programs. Pure: bytes in, values out, and back; nothing is written here."""

from bot.cards.found import DEFAULT_USER, Found, Kind, Wishes
from bot.cards.reading import MOST_BYTES, read

__all__ = ["DEFAULT_USER", "MOST_BYTES", "Found", "Kind", "Wishes", "read"]
