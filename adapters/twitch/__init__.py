"""Twitch: `irc` (lines), `reading` (what they mean), `chat` (the connection)."""
