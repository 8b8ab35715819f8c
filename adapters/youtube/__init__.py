"""YouTube: `reading` (what an item means), `quota` (what a call costs), `chat` (asking for pages)."""
