"""Where answers wait until their prompts are read, and whose turn it is. Runs no model.

- A person's request goes before chatter, always: people are few and slow, so chatter still gets its turn.
- What is read ahead comes last: nobody waits for its drafts yet.
- Within each of the three, pieces go by turns to the oldest and to the one with the least left to read. So a short prompt
  is not held up by a long one, and a long one, once it is the oldest, has at least every second piece: an answer is
  read after at most twice the pieces that it and those before it need, whatever comes later.
- One of each is begun at a time, so that few states are held. Round robin among all would hold one for each, and would
  finish all of them late.
- Whoever needs a state that another answer is just about to leave behind lends it the turn: nothing is read twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from bot.engine.scheduling.reading import Answer, Rank, Text


class WaitingRoom:
    """In the order of service: by rank, and in order of arrival within one."""

    def __init__(self) -> None:
        self._answers: list[Answer] = []
        self._oldest_had_it = dict.fromkeys(Rank, False)  # the last turn within each rank

    def __len__(self) -> int:
        return len(self._answers)

    def __iter__(self) -> Iterator[Answer]:
        return iter(self._answers)

    def put(self, answer: Answer) -> None:
        place = sum(other.rank <= answer.rank for other in self._answers)
        self._answers.insert(place, answer)

    def remove(self, answer: Answer) -> None:
        self._answers.remove(answer)

    def next(self, may_begin: Callable[[Answer], bool]) -> Answer | None:
        """Whose turn it is. Those that have not begun count only if they may."""
        able = [answer for answer in self._answers if answer.begun or may_begin(answer)]
        equals = [answer for answer in able if answer.rank is able[0].rank]
        return self._by_turns(equals) if equals else None

    def leader(self, follower: Text) -> Answer | None:
        """The answer that is about to leave a state from which `follower` can go on, if there is one."""
        leading = [answer for answer in self._answers if answer.text is not None and answer.text.leads(follower)]
        return max(leading, key=lambda answer: answer.text.place if answer.text else 0, default=None)

    def _by_turns(self, answers: list[Answer]) -> Answer:
        oldest, *others = answers
        self._oldest_had_it[oldest.rank] ^= True
        if self._oldest_had_it[oldest.rank] or not others:
            return oldest
        begun = (answer for answer in others if answer.begun)
        return next(begun, None) or min(others, key=lambda answer: answer.left)
