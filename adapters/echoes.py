"""Knows our own words when a platform sends them back, so that the character never answers itself."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from bot.messages import Message, MessageId

SECONDS = 60.0
LIMIT = 100


class Echoes:
    """An outlet that posts to this platform calls `sent`; the adapter calls `mine` when it learns who we are.

    Where both the author of a message and our own account are known, they decide: a viewer may say what we have said.
    Where either is not, a message that says what we sent in the last minute is taken for ours, once each time we sent it.
    """

    def __init__(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._viewers: set[str] = set()
        self._sent: deque[tuple[float, str, MessageId | None]] = deque(maxlen=LIMIT)

    def mine(self, viewer_id: str) -> None:
        """This viewer of the platform is the account that we send with."""
        if viewer_id:
            self._viewers.add(viewer_id)

    def sent(self, text: str, message_id: MessageId | None = None) -> None:
        """These words were posted just now, one call for each piece; `message_id` as this adapter would write it."""
        self._sent.append((self._timer(), _bare(text), message_id))

    def has(self, message: Message) -> bool:
        """Whether this is one of ours coming back. Asked once for each message."""
        viewer = message.viewer
        if viewer.known and viewer.id in self._viewers:
            return True
        named = viewer.known and bool(self._viewers)
        now, words = self._timer(), _bare(message.text)
        for entry in self._sent:
            sent_at, text, message_id = entry
            if now - sent_at < SECONDS and (message.id == message_id or (not named and text == words)):
                self._sent.remove(entry)
                return True
        return False


def _bare(text: str) -> str:
    return " ".join(text.split())
