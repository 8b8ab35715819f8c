"""What each viewer wrote in the last seconds, for what is split over several messages. In memory only, and bounded."""

from __future__ import annotations

from collections import OrderedDict

from bot.messages import Viewer

SECONDS = 20.0
MOST_VIEWERS = 1000  # the one who was silent longest gives way
MOST_LETTERS = 200  # of each; the oldest give way


class Lately:
    """Viewers whom the platform does not name have no past."""

    def __init__(self) -> None:
        self._said: OrderedDict[tuple[str, str], list[tuple[float, str]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._said)

    @property
    def letters(self) -> int:
        return sum(len(text) for said in self._said.values() for _, text in said)

    def before(self, viewer: Viewer, now: float) -> str:
        """Everything in a row, the newest last."""
        return "".join(text for then, text in self._said.get(viewer.key, ()) if now - then < SECONDS)[-MOST_LETTERS:]

    def add(self, viewer: Viewer, text: str, now: float) -> None:
        if not viewer.known:
            return
        said = [(then, old) for then, old in self._said.pop(viewer.key, ()) if now - then < SECONDS]
        said.append((now, text[-MOST_LETTERS:]))
        while sum(len(old) for _, old in said) > MOST_LETTERS and len(said) > 1:
            said.pop(0)
        self._said[viewer.key] = said
        if len(self._said) > MOST_VIEWERS:
            self._said.popitem(last=False)
