"""One draft in the making, from a server's pieces of text: ends at our stops whatever the server knows of them.

The same rules as for a draft of our own model: it begins with `start_with`, white space at both ends is not part of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.engine.mailbox import Mailbox
from bot.engine.text_stops import TextStops
from bot.engine.types import Ending, Prompt


class Row:
    """Draft `index`. `begun`: a part of it has been handed on, so it can never be asked for again."""

    def __init__(self, index: int, prompt: Prompt, mailbox: Mailbox, least: int = 0) -> None:
        """`least`: so many characters have to be added, or the draft is `short`."""
        self.index = index
        self._least = least
        self.short = False  # it ended too early: done for this request, but not finished
        self._mailbox = mailbox
        self._prompt = prompt
        self.begun = self.done = False
        self.expect()

    def expect(self, echoes: Sequence[str] = ()) -> None:
        """Before each attempt, of which nothing was handed on yet: what came before is forgotten.

        `echoes` are texts that a chat model may say again before it goes on: the speaker's cue, the words it began with.
        """
        assert not self.begun
        self._echoes = tuple(echoes)
        self._start = self._prompt.start_with.lstrip()
        self._stops = TextStops(self._prompt.stops)
        self._head = "" if self._echoes else None  # None: it is certain where the draft begins
        self._pieces: list[str] = []
        joined = not self._echoes or self._start[-1:].isascii()  # in "I think" + " so" the space counts
        self._spoke = bool(self._start) and joined
        self._half = ""  # the first half of a character of two UTF-16 units

    @property
    def added(self) -> str:
        """What was said after the beginning that was given."""
        return "".join(self._pieces)

    def go_on(self, echoes: Sequence[str]) -> None:
        """Before a request that continues a short draft."""
        assert self.short
        self.short = self.done = False
        self._echoes = tuple(echoes)
        self._head = "" if self._echoes else None
        self._stops = TextStops(self._prompt.stops)

    def settle(self) -> None:
        """It stays as it is."""
        if self.short or not self.done:
            self._least, self.short = 0, False
            self._finish(Ending.STOP)

    def take(self, text: str) -> None:
        """More text of the server's. After a stop nothing counts any more."""
        if not self.done:
            self._add(self._stops.feed(self._from_its_beginning(self._whole(text))))
            if self._stops.stopped:
                self._finish(Ending.STOP)

    def end(self, ending: Ending) -> None:
        """The server says that this draft is complete."""
        if not self.done:
            head, self._head = self._head, None
            self._add(self._stops.feed("" if head is None else self._spoken(self._without_echo(head))))
            if not self._stops.stopped:
                self._add(self._stops.flush())
            self._finish(Ending.STOP if self._stops.stopped else ending)

    def _add(self, text: str) -> None:
        if not text:
            return
        self.begun = True
        gained = text if self._pieces else self._start + text
        self._pieces.append(text)
        self._mailbox.grew(self.index, gained)

    def _finish(self, ending: Ending) -> None:
        self.done = self.begun = True
        if ending is Ending.STOP and len(self.added.strip()) < self._least:
            self.short = True
            return
        self._mailbox.finished(self.index, (self._start + "".join(self._pieces)).rstrip(), ending)

    def _whole(self, text: str) -> str:
        r"""JSON may cut a character in two (`\ud83d` in one event, `\ude00` in the next); a half alone is U+FFFD."""
        text, self._half = self._half + text, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._half = text[:-1], text[-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _from_its_beginning(self, text: str) -> str:
        """Without white space at the beginning, which must not count as a stop, and without an echo."""
        if self._head is not None:
            self._head += text
            head = self._head.lstrip()
            if any(echo != head and echo.startswith(head) for echo in self._echoes):
                return ""
            text, self._head = self._without_echo(self._head), None
        return self._spoken(text)

    def _spoken(self, text: str) -> str:
        if not self._spoke:
            text = text.lstrip()
        self._spoke = self._spoke or bool(text)
        return text

    def _without_echo(self, head: str) -> str:
        inner = head.lstrip()
        said = max((len(echo) for echo in self._echoes if inner.startswith(echo)), default=0)
        return inner[said:] if said else head
