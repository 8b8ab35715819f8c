"""What the model was asked for at one place of a story, and the drafts that came of it. Values; runs nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from bot.save.desk import Kept


@dataclass(frozen=True, slots=True)
class Draft:
    """One proposal; half a sentence (not `done`) is none."""

    text: str = ""
    done: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """Drafts for whoever is to speak after the line `place` ("": at the very beginning).

    `continues`: the line that the drafts begin with and would replace; "" they are lines of their own. `at`: when it
    was asked, in seconds since 1970. `error`: why there is nothing more, for people. `running` counts the requests to
    the engine that are not finished: more can be asked for while the first still write.
    """

    id: str
    place: str
    character: str
    at: float
    continues: str = ""
    drafts: tuple[Draft, ...] = ()
    running: int = 0
    error: str | None = None

    def begun(self, count: int) -> Ask:
        """`count` more drafts are being written."""
        return replace(
            self, drafts=(*self.drafts, *(Draft() for _ in range(count))), running=self.running + 1, error=None
        )

    def grown(self, index: int, draft: Draft) -> Ask:
        return replace(self, drafts=(*self.drafts[:index], draft, *self.drafts[index + 1 :]))

    def ended(self, first: int, count: int, error: str | None) -> Ask:
        """The request for the drafts from `first` on is over. What is not finished becomes empty; the others keep their
        numbers under the writer's fingers."""
        drafts = tuple(
            Draft() if first <= index < first + count and not draft.done else draft
            for index, draft in enumerate(self.drafts)
        )
        return replace(self, drafts=drafts, running=self.running - 1, error=error)

    @property
    def proposes(self) -> bool:
        return any(draft.done for draft in self.drafts)

    def draft_id(self, index: int) -> str:
        return f"{self.id}.{index}"

    def draft(self, id: str) -> Draft | None:
        """The finished draft with this id."""
        index = id.removeprefix(f"{self.id}.")
        if not (index.isascii() and index.isdecimal()) or int(index) >= len(self.drafts):
            return None
        draft = self.drafts[int(index)]
        return draft if draft.done else None


def ask_of(draft_id: str) -> str:
    """The id of the ask that a draft belongs to."""
    return draft_id.rpartition(".")[0]


_ASK = TypeAdapter(Ask)


def to_record(ask: Ask) -> Kept:
    """With what is finished of it."""
    drafts = tuple(draft if draft.done else Draft() for draft in ask.drafts)
    body = _ASK.dump_json(replace(ask, drafts=drafts, running=0, error=None), exclude={"running", "error"})
    return Kept(ask.id, ask.at, body.decode(), ask.place)


def from_record(kept: Kept) -> Ask:
    return _ASK.validate_json(kept.body)


def by_id(asks: Iterable[Ask]) -> dict[str, Ask]:
    return {ask.id: ask for ask in asks}
