"""Twitch: `irc` (lines), `reading` (what they mean), `chat` (the connection)."""

from adapters.twitch.chat import TwitchAdapter

__all__ = ["TwitchAdapter"]
