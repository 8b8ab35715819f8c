"""Server-sent events: bytes in any pieces in, the data of each event out. Knows nothing of what the data say.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream
"""

from __future__ import annotations

from collections.abc import Iterator

LONGEST = 1 << 20
"""Bytes of one event. A server that never ends one must not fill our memory."""


class EventTooLong(Exception):
    """The server sent more than `LONGEST` bytes without ending an event."""


class Events:
    """Lines end with CR LF, LF or CR; `data:` lines of an event are joined; comments and other fields are passed over.

    Cutting at line ends before decoding keeps characters whole, wherever the network cut them.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._after_return = False  # the last piece ended with CR: an LF that follows belongs to it
        self._data: list[str] = []
        self._size = 0
        self._first = True

    def feed(self, piece: bytes) -> Iterator[str]:
        """The data of every event that this piece completes. Linear in the bytes but for the one unfinished line."""
        if not piece:
            return
        belongs, self._after_return = self._after_return, piece.endswith(b"\r")
        if belongs:
            piece = piece.removeprefix(b"\n")
        lines = (self._rest + piece).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) + self._size > LONGEST:
            raise EventTooLong
        for line in lines:
            yield from self._line(line)

    def flush(self) -> Iterator[str]:
        """What the stream's end leaves: some servers do not send the empty line after their last event."""
        rest, self._rest = self._rest, b""
        if rest:
            yield from self._line(rest)
        yield from self._dispatch()

    def _line(self, line: bytes) -> Iterator[str]:
        if self._first:
            line, self._first = line.removeprefix(b"\xef\xbb\xbf"), False
        if not line:
            yield from self._dispatch()
        elif line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" ").decode("utf-8", "replace"))
            self._size += len(line)
            if self._size > LONGEST:
                raise EventTooLong

    def _dispatch(self) -> Iterator[str]:
        if self._data:
            yield "\n".join(self._data)
        self._data, self._size = [], 0
