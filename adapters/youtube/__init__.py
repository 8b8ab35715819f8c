"""YouTube: `reading` (what an item means), `quota` (what a call costs), `chat` (asking for pages)."""

from adapters.youtube.chat import YouTubeAdapter

__all__ = ["YouTubeAdapter"]
